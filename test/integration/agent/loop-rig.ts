import { rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import type { AgentEvent } from '../../../src/core/agent/agent.ts';
import type { ControlRecord, GrantOrder } from '../../../src/core/messages.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import { createAgentLoop } from '../../../src/workers/agent/agent-loop.ts';
import type { AgentLoop } from '../../../src/workers/agent/agent-loop.ts';
import { createReserve } from '../../../src/workers/agent/journal-reserve.ts';
import { lockJournal, openJournal } from '../../../src/workers/agent/journal-store.ts';
import type { JournalStore } from '../../../src/workers/agent/journal-store.ts';
import { createHostGate, gateTimes } from '../../../src/workers/agent/host-gate.ts';
import { createKnowledge } from '../../../src/workers/agent/knowledge.ts';
import { createLanes } from '../../../src/workers/agent/lanes.ts';
import { createTouched } from '../../../src/workers/agent/look-at-containers.ts';
import { performEffect } from '../../../src/workers/agent/perform-effect.ts';
import type { Work } from '../../../src/workers/agent/work.ts';
import { settingsHash } from './fake-host.ts';
import type { FakeHost } from './fake-host.ts';

/** Time runs this much faster, so that core's pauses of seconds do not slow the tests. */
const speed = 20;
const mono = (): number => performance.now() * speed;

/** The server's part, as far as a loop without Redis needs it: a record that advances. */
export interface RecordSource {
  next: () => Extract<AgentEvent, { kind: 'record' }>;
  record: Partial<ControlRecord>;
}

export const createRecordSource = (): RecordSource => {
  let n = 0;
  const source: RecordSource = {
    record: {},
    next: () => {
      n += 1;
      return {
        kind: 'record',
        newIncarnation: randomUUID(),
        record: {
          number: [1, 1, n],
          serverTime: mono(),
          ...{
            incarnation: null,
            ackedSeq: 0,

            pauses: [],
            freezes: [],
            excluded: false,
          },
          ...{ voids: [], suspects: [], parked: [] },
          ...source.record,
        },
      };
    },
  };
  return source;
};

export const order = (fake: FakeHost, container: string, grantId: string): GrantOrder => ({
  grantId,
  container,
  service: 'web',
  settingsHash,
  expect: { kind: 'instance', instance: fake.instance(container) },
  attempt: 1,
  beginBefore: mono() + 60_000,
  deadline: mono() + 600_000,
  byHand: false,
  onlyIfBroken: false,
  patched: null,
});

export const batchJob = (
  incarnation: string,
  grants: GrantOrder[],
  jobId = 'job-1',
): Extract<AgentEvent, { kind: 'job' }> => ({
  kind: 'job',
  jobId,
  hash: `hash of ${jobId}`,
  leader: [1, 1],
  incarnation,
  expiresAt: mono() + 600_000,
  job: { kind: 'restart-batch', payload: { waveId: 'wave-1', grants } },
});

export const upgradeJob = (
  incarnation: string,
  jobId: string,
): Extract<AgentEvent, { kind: 'job' }> => ({
  ...batchJob(incarnation, [], jobId),
  job: {
    kind: 'host-upgrade',
    payload: {
      ...{ waveId: 'wave-1', grantId: `grant of ${jobId}`, mode: 'packages', allowRemove: false },
      packages: [{ name: 'libgsdemo1', want: 'exact', version: '2.0-1' }],
      ...{ services: [], beginBefore: mono() + 600_000, deadline: mono() + 3_600_000 },
    },
  },
});

/** One life of an agent's process on a journal, without Redis. */
export interface LoopRig {
  loop: AgentLoop;
  store: JournalStore;
  alerts: string[];
  /** The process is gone from one instant to the next: nothing is said or written any more. */
  kill: () => void;
}

export const startLoop = (
  path: string,
  fake: FakeHost,
  source: RecordSource,
  change: (store: JournalStore) => JournalStore = (store) => store,
): LoopRig => {
  const lock = lockJournal(path);
  const opened = openJournal(path, { open: openSqlite, newId: randomUUID });
  const store = change(opened.store);
  const alerts: string[] = [];
  const clock = { monoMs: mono, wallMs: Date.now, newId: randomUUID };
  const touched = createTouched(mono);
  const knowledge = createKnowledge(fake.host.scan, () => null);
  const work: Work = {
    host: fake.host,
    clock,
    knowledge,
    gate: createHostGate({
      ...{ host: fake.host, knowledge, clock, times: gateTimes },
      exempt: () => false,
    }),
    gateBefore: () => loop.agent().journal.gate?.before ?? null,
    awaitsRoom: (jobId) => loop.agent().awaitRoom.has(jobId),
    lanes: createLanes(),
    hearRecord: () => {
      loop.dispatch(source.next());
      return Promise.resolve(null);
    },
    packageWatch: { suspend: () => Promise.resolve(), resume: () => Promise.resolve() },
    holdBack: () => (loop.writable() ? null : 'the journal cannot be written'),
    alert: (message) => {
      alerts.push(message);
    },
    problems: () => alerts,
  };
  const reserve = createReserve(`${path}.reserve`, 256 * 1024);
  reserve.restore();
  const loop: AgentLoop = createAgentLoop({
    hostId: 'h1',
    store,
    reserve,
    clock,
    retryMs: 20,
    alert: work.alert,
    onTurn: () => undefined,
    perform: (effect, life) => {
      performEffect(
        {
          work,
          touched,
          sendReports: () => undefined,
          observe: () => undefined,
          heartbeat: () => undefined,
          takeInventory: () => undefined,
        },
        effect,
        life,
      );
    },
  });
  loop.start();
  const heart = setInterval(() => {
    reserve.restore();
    loop.dispatch(source.next());
    loop.dispatch({ kind: 'tick' });
  }, 25);
  return {
    loop,
    store,
    alerts,
    kill: () => {
      clearInterval(heart);
      loop.close();
      opened.store.close();
      lock.release();
    },
  };
};

/** The server has heard of this journal's life, so it is settled (R15). */
export const settle = async (rig: LoopRig, source: RecordSource): Promise<string> => {
  const { incarnation } = rig.loop.agent().journal;
  source.record.incarnation = incarnation;
  await until(() => rig.loop.agent().journal.settled, 'the journal is settled');
  return incarnation;
};

/** Poll until true; an error with `what` after 10 s. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> => {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited for too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
};

export const removeTree = (path: string): void => {
  rmSync(path, { recursive: true, force: true });
};
