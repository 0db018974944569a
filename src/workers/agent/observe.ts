import type { AgentEvent } from '../../core/agent/agent.ts';
import type { Journal } from '../../core/agent/journal.ts';
import { errorText } from '../../core/error-text.ts';
import type { ContainerName } from '../../core/ids.ts';
import { mostProblems } from '../../core/messages.ts';
import type { ContainerView, HostObserved } from '../../core/messages.ts';
import { sameInstance } from '../../core/observation.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { Repeated } from '../../jobs/repeat.ts';
import type { HostFacts } from './agent-host.ts';
import { isScanned } from './container-view.ts';
import { inParallel } from './in-parallel.ts';
import { lookAtContainers } from './look-at-containers.ts';
import type { Touched } from './look-at-containers.ts';
import { createProber } from './probe-containers.ts';
import { watchTransaction } from './watch-transaction.ts';
import type { Work } from './work.ts';

export interface ObserveTimes {
  lookEveryMs: number;
  wholeEveryMs: number;
  /** The server hears something at least this often (R17). */
  heartbeatMs: number;
  scanEveryMs: number;
}

export const observeTimes: ObserveTimes = {
  lookEveryMs: 5_000,
  wholeEveryMs: 300_000,
  heartbeatMs: 20_000,
  scanEveryMs: 300_000,
};

/** With this many reports unacknowledged the server is not listening: a whole observation follows later. */
const backlogLimit = 200;

export interface ObservePorts {
  journal: () => Journal;
  transactionOpen: () => boolean;
  /** The same, or an upgrade of ours runs. */
  packagesChange: () => boolean;
  /** What grants wait for (L4). */
  waits: () => HostObserved['waits'];
  /** Core's turn; answers whether it is durable. */
  dispatch: (event: AgentEvent) => boolean;
  touched: Touched;
  times: ObserveTimes;
}

export interface Observer {
  /** Look and report at once. `names` are in the report even where nothing of them changed (R21). */
  observe: (options?: { whole?: boolean; names?: readonly ContainerName[] }) => void;
  /** The end of its restart told how it is: what was told before is not what the server knows any more. */
  toldElsewhere: (name: ContainerName) => void;
  /** Report something at once, and be it that there is nothing new. */
  heartbeat: () => void;
  stop: () => Promise<void>;
}

/** Look at the host over and over, and report it: whole at first and every few minutes, else what changed. */
export const startObserver = (work: Work, ports: ObservePorts): Observer => {
  const { knowledge, host, clock } = work;
  const { times } = ports;
  const prober = createProber(work);
  const longTransaction = watchTransaction({ ...clock, atWork: () => host.packages.atWork() });
  /** As last reported: name → JSON of its view. */
  let reported = new Map<ContainerName, string>();
  let wanted = new Set<ContainerName>();
  let wholeWanted = true;
  let heartbeatWanted = false;
  let wholeAt = -Infinity;
  let reportedAt = -Infinity;
  let scannedAt = -Infinity;
  /** What grants waited for as last reported; figures in it change without being news. */
  let toldWaits = '[]';
  let facts: HostFacts = { platform: '', rebootRequired: [], agentStale: false };

  /** R30: no scan while a package transaction is open; what it would find is not to be told yet. */
  const scan = async (): Promise<void> => {
    if (ports.transactionOpen()) return;
    const now = clock.monoMs();
    if (now - scannedAt >= times.scanEveryMs) {
      await knowledge.scanAll([]);
      scannedAt = now;
      return;
    }
    const unscanned = knowledge.views().filter(({ name, instance }) => {
      const container = knowledge.container(name);
      if (instance === null || container === null || !isScanned(container)) return false;
      return !sameInstance(knowledge.scan(name)?.instance ?? null, instance);
    });
    await inParallel(unscanned, 2, async ({ name }) => {
      knowledge.setScan(await host.scan.one(name));
    });
  };

  /** `looked` false: what is known is out of date, so only the heartbeat goes. Answers whether `names` were told. */
  const send = async (names: ReadonlySet<ContainerName>, looked: boolean): Promise<boolean> => {
    const now = clock.monoMs();
    const open = ports.transactionOpen();
    const backlog = ports.journal().reports.size;
    if (backlog > backlogLimit) wholeWanted = true;
    const mayTell = looked && !open && backlog <= backlogLimit;
    const whole = mayTell && (wholeWanted || now - wholeAt >= times.wholeEveryMs);
    const atRest = await host.packages.atRest();
    const long = longTransaction(atRest.ok);
    // The server is told as long as it lasts, and no longer.
    if (long !== null) work.alert(long, { reported: false });
    facts = await host.facts().catch((error: unknown) => {
      work.alert(`facts about the host cannot be read: ${errorText(error)}`);
      return facts;
    });
    const texts = new Map(knowledge.views().map((view) => [view, JSON.stringify(view)] as const));
    const told: [ContainerView, string][] = [...texts].filter(
      ([{ name }, text]) => whole || names.has(name) || reported.get(name) !== text,
    );
    const gone = [...reported.keys()].some((name) => knowledge.container(name) === null);
    const news = mayTell && (whole || gone || told.length > 0);
    // What waits to be acknowledged is sent again and again, and tells that we live.
    const heartbeat = heartbeatWanted || (backlog === 0 && now - reportedAt >= times.heartbeatMs);
    const waits = JSON.stringify(ports.waits()).replace(/\d+/g, '#');
    const waitsNews = waits !== toldWaits && backlog <= backlogLimit;
    if (!news && !heartbeat && !waitsNews) return names.size === 0;
    const durable = ports.dispatch({
      kind: 'host-observed',
      observed: {
        // A missing container is told by a whole observation only.
        whole: news && (whole || gone),
        containers: news ? (gone ? [...texts.keys()] : told.map(([view]) => view)) : [],
        settingsHashes: host.settings.hashes(),
        atRest: atRest.ok,
        atRestReason: atRest.reason,
        rebootRequired: facts.rebootRequired,
        staleHostProcesses: open ? [] : knowledge.hostProcesses(),
        platform: facts.platform,
        agentStale: facts.agentStale,
        problems: [...(long === null ? [] : [long]), ...work.problems()].slice(0, mostProblems),
      },
      longTransaction: long,
    });
    if (!durable) return false;
    reportedAt = now;
    heartbeatWanted = false;
    toldWaits = waits;
    if (!news) return false;
    if (whole || gone) {
      wholeAt = now;
      wholeWanted = false;
      reported = new Map([...texts].map(([{ name }, text]) => [name, text]));
    } else for (const [{ name }, text] of told) reported.set(name, text);
    return true;
  };

  const attempt = (what: string, done: Promise<unknown>): Promise<boolean> =>
    done.then(
      () => true,
      (error: unknown) => {
        work.alert(`${what}: ${errorText(error)}`);
        return false;
      },
    );

  const round = async (): Promise<void> => {
    const names = wanted;
    wanted = new Set();
    const looked = await attempt(
      'the containers cannot be looked at',
      lookAtContainers(work, { ...ports, tell: ports.dispatch }),
    );
    if (looked)
      await Promise.all([
        attempt('the scan failed', scan()),
        attempt('health cannot be probed', prober.round(names)),
      ]);
    if (looked && !ports.packagesChange()) work.gate.remember();
    const told = await send(names, looked).catch((error: unknown) => {
      work.alert(`the host cannot be reported: ${errorText(error)}`);
      return false;
    });
    if (!told) for (const name of names) wanted.add(name);
  };

  const rounds: Repeated = repeat(round, {
    everyMs: times.lookEveryMs,
    onError: (error) => {
      work.alert(`the host cannot be observed: ${errorText(error)}`);
    },
  });

  return {
    observe: ({ whole = false, names = [] } = {}) => {
      wholeWanted ||= whole;
      for (const name of names) wanted.add(name);
      rounds.wake();
    },
    toldElsewhere: (name) => {
      reported.set(name, '');
    },
    heartbeat: () => {
      heartbeatWanted = true;
      rounds.wake();
    },
    stop: rounds.stop,
  };
};
