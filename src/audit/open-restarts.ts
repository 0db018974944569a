import type { RecordLine } from './bundle-lines.ts';

/** A restart or upgrade that began, and of which no outcome was read. */
export interface OpenRestart {
  line: number;
  what: string;
  /** Wall-clock time, by the host's own word. */
  atMs: number;
}

export interface OpenRestarts {
  take: (row: RecordLine, line: number) => void;
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
  const open = new Map<string, OpenRestart & { grant: string }>();
  const endedByServer = new Set<string>();
  return {
    take: ({ chain, life, record }, line) => {
      const { action, grant, subject, at } = record;
      if (typeof action !== 'string' || typeof grant !== 'string') return;
      const key = JSON.stringify([chain, life, grant]);
      const begun = begins.get(action);
      if (begun !== undefined)
        open.set(key, {
          ...{ grant, line, what: `${begun} ${String(subject)} (grant ${grant}, ${String(at)})` },
          atMs: Date.parse(String(at)),
        });
      else if (ends.has(action)) {
        open.delete(key);
        endedByServer.delete(grant);
      } else if (chain === 'server' && serverEnds.has(action)) endedByServer.add(grant);
    },
    left: () =>
      [...open.values()].flatMap(({ grant, ...one }) => (endedByServer.has(grant) ? [] : [one])),
  };
};
