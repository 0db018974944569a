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
  let refreshProblem: string | null = null;
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
    refreshProblem = await packages.refresh();
    if (refreshProblem === null) refreshedAt = clock.wallMs();
    else
      alert(`the indexes of the repositories cannot be fetched: ${refreshProblem}`, {
        reported: false,
      });
  };

  const look = async (): Promise<void> => {
    if (stopped || ports.packagesChange()) return;
    await refreshIfDue();
    const mark = `${await packages.inventoryMark()} ${refreshProblem ?? ''}`;
    if (mark === readMark) return;
    const read = await packages.inventory();
    // What changed while it was read is read again.
    const still = `${await packages.inventoryMark()} ${refreshProblem ?? ''}`;
    if (ports.packagesChange()) return;
    // What changed while it was read is read again: at once, or where it changes all the time, at the next look.
    if (still !== mark && unsettled < mostUnsettled) {
      unsettled += 1;
      rounds.wake();
      return;
    }
    unsettled = 0;
    const news: Omit<HostInventory, 'kind' | 'transaction'> = {
      ...read,
      ...{ refreshedAt, refreshProblem },
    };
    const text = JSON.stringify({ ...read, refreshProblem });
    const bytes = Buffer.byteLength(text);
    if (bytes > mostBytes)
      alert(`the list of installed packages is too long to be reported: ${bytes} bytes`);
    else if (text !== told && !ports.dispatch({ kind: 'inventory', read: news })) return;
    told = text;
    readMark = mark;
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
