import type { RecordLine } from './bundle-lines.ts';

/** A restart or upgrade that began, and of which no outcome was read. */
export interface OpenRestart {
  line: number;
  what: string;
  /** When the server first stated that it has its record (wall clock, ms); null: never. */
  seenMs: number | null;
}

export interface OpenRestarts {
  take: (row: RecordLine, line: number) => void;
  /** A checkpoint of this time (wall clock, ms) is over all that was taken. */
  seen: (atMs: number) => void;
  left: () => OpenRestart[];
}

const begins = new Map([
  ['restart-begun', 'the restart of'],
  ['upgrade-begun', 'the upgrade of'],
]);
const ends = new Set(['restart-ended', 'restart-failed', 'restart-refused', 'upgrade-ended']);
/** The server's word, where the agent's will not come: its journal was lost, or the host excluded. */
const serverEnds = new Set(['grant-ended', 'grant-failed']);

/**
 * Pairs what began with its outcome, by grant (I4). A host's records come in their order; the server's may come before the
 * host's, which are copied later.
 */
export const createOpenRestarts = (): OpenRestarts => {
  /** By host, life and grant: nobody else's word ends it but the server's. */
  const open = new Map<string, OpenRestart & { grant: unknown }>();
  /** Began again before they had an outcome: what comes is that of the later one. */
  const begunAgain: OpenRestart[] = [];
  /** No host's word takes one away: it says what it likes, also of grants of others. */
  const endedByServer = new Set<unknown>();
  let unseen: OpenRestart[] = [];
  return {
    take: ({ chain, life, record }, line) => {
      const { action, grant, subject, at } = record;
      if (typeof action !== 'string') return;
      const begun = begins.get(action);
      // Without a grant nothing tells which outcome would be that of which.
      if (begun === undefined && typeof grant !== 'string') return;
      if (chain === 'server' && serverEnds.has(action)) endedByServer.add(grant);
      if (begun === undefined && !ends.has(action)) return;
      const key = JSON.stringify([chain, life, grant]);
      const former = open.get(key);
      open.delete(key);
      if (begun === undefined) return;
      if (former !== undefined) begunAgain.push(former);
      const what = `${begun} ${String(subject)} (grant ${String(grant)}, ${String(at)})`;
      const one = { grant, line, what, seenMs: null };
      open.set(key, one);
      unseen.push(one);
    },
    seen: (atMs) => {
      for (const one of unseen) one.seenMs = atMs;
      unseen = [];
    },
    left: () =>
      [...begunAgain, ...[...open.values()].filter(({ grant }) => !endedByServer.has(grant))].map(
        ({ line, what, seenMs }) => ({ line, what, seenMs }),
      ),
  };
};
