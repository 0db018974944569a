import type { AgentEvent } from '../../core/agent/agent.ts';
import { errorText } from '../../core/error-text.ts';
import type { HostInventory } from '../../core/messages.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { Work } from './work.ts';

export interface InventoryTimes {
  /** How often it is looked whether anything changed. */
  lookEveryMs: number;
  /** How often the repositories' indexes are fetched; null: only where the server asks. */
  refreshEveryMs: number | null;
}

export const inventoryTimes: InventoryTimes = { lookEveryMs: 15_000, refreshEveryMs: 3_600_000 };

const mostUnsettled = 3;

/** Below what a report may measure, with room for its envelope. */
const mostBytes = 3_500_000;

/** In what a package manager says of one and the same mirror: how long it waited, which of its addresses it tried. */
const changesAlways = /\d+/g;

export interface InventoryReporter {
  /** Look and report now, also what is the same; `refresh`: fetch the repositories' indexes first. */
  take: (asked: { refresh: boolean }) => void;
  stop: () => Promise<void>;
}

/**
 * Report what the host has installed and what its repositories offer: once at the start, and whenever that changes. While
 * packages change nothing is read, so that what is reported belongs to the transaction that it names.
 */
export const startInventory = (
  { host, clock, alert }: Pick<Work, 'host' | 'clock' | 'alert'>,
  ports: {
    packagesChange: () => boolean;
    /** Core's turn; answers whether it is durable. */
    dispatch: (event: AgentEvent) => boolean;
    times: InventoryTimes;
  },
): InventoryReporter => {
  const { packages } = host;
  let readMark: string | null = null;
  let told: string | null = null;
  let refreshWanted = false;
  let refreshedAt: number | null = null;
  /** Why the indexes could not be fetched the last time. */
  let fetchProblem: string | null = null;
  let triedAt = clock.monoMs();
  /** Readings in a row that something changed in. */
  let unsettled = 0;
  let stopped = false;

  const refreshIfDue = async (): Promise<void> => {
    const { refreshEveryMs } = ports.times;
    const due = refreshEveryMs !== null && clock.monoMs() - triedAt >= refreshEveryMs;
    if (!due && !refreshWanted) return;
    triedAt = clock.monoMs();
    refreshWanted = false;
    fetchProblem = await packages.refresh();
    if (fetchProblem === null) refreshedAt = clock.wallMs();
    else
      alert(`the indexes of the repositories cannot be fetched: ${fetchProblem}`, {
        reported: false,
      });
  };

  const look = async (): Promise<void> => {
    if (stopped || ports.packagesChange()) return;
    await refreshIfDue();
    const mark = `${await packages.inventoryMark()} ${fetchProblem ?? ''}`;
    if (mark === readMark) return;
    const { problem, ...read } = await packages.inventory();
    // What changed while it was read is read again.
    const still = `${await packages.inventoryMark()} ${fetchProblem ?? ''}`;
    if (ports.packagesChange()) return;
    // What changed while it was read is read again: at once, or where it changes all the time, at the next look.
    if (still !== mark && unsettled < mostUnsettled) {
      unsettled += 1;
      rounds.wake();
      return;
    }
    unsettled = 0;
    const refreshProblem = fetchProblem ?? problem;
    const news: Omit<HostInventory, 'kind' | 'transaction'> = {
      ...read,
      ...{ refreshedAt, refreshProblem },
    };
    const text = JSON.stringify([read, refreshProblem?.replace(changesAlways, '')]);
    const isNews = text !== told;
    const bytes = Buffer.byteLength(text);
    if (bytes > mostBytes)
      alert(`the list of installed packages is too long to be reported: ${bytes} bytes`);
    else if (isNews && !ports.dispatch({ kind: 'inventory', read: news })) return;
    if (isNews && problem !== null)
      alert(`what the repositories offer cannot be read: ${problem}`, { reported: false });
    told = text;
    // Nothing on disk tells when repositories can be read again.
    readMark = problem === null ? mark : null;
  };

  const rounds = repeat(look, {
    everyMs: ports.times.lookEveryMs,
    onError: (error) => {
      alert(`the installed packages cannot be read: ${errorText(error)}`);
    },
  });

  return {
    take: ({ refresh }) => {
      refreshWanted ||= refresh;
      // After a transaction also what is the same is told: it is known to be so now.
      readMark = null;
      told = null;
      rounds.wake();
    },
    stop: async () => {
      stopped = true;
      await rounds.stop();
    },
  };
};
