import { bootAgent } from '../../../src/core/agent/agent.ts';
import type { Agent, AgentEvent, CheckAnswers } from '../../../src/core/agent/agent.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { agentStep } from '../../../src/core/agent/step.ts';
import type { AgentTurn } from '../../../src/core/agent/step.ts';
import type { ControlRecord, GrantOrder, Report, Leader } from '../../../src/core/messages.ts';

export const instance = { bootId: 'b', initPid: 100, startTime: '1' };

export const order = (grantId: string, more: Partial<GrantOrder> = {}): GrantOrder => ({
  grantId,
  container: 'web-1',
  service: 'web',
  settingsHash: 'hash',
  expect: { kind: 'instance', instance },
  attempt: 1,
  beginBefore: 1_030_000,
  deadline: 1_600_000,
  byHand: false,
  onlyIfBroken: false,
  patched: null,
  ...more,
});

export const wellAnswers: CheckAnswers = {
  state: 'running',
  instance,
  stale: 'stale',
  health: 'healthy',
  atRest: { ok: true, reason: '' },
  settingsHash: 'hash',
  optOut: null,
  found: 'ready',
};

/** Wall-clock ms at which the monotonic clock of a scene stands at 0. */
export const wallBase = Date.UTC(2027, 0, 1);

export interface AgentScene {
  agent: Agent;
  mono: number;
  step: (event: AgentEvent) => AgentTurn;
  record: (n: number, more?: Partial<ControlRecord>) => AgentTurn;
  job: (
    jobId: string,
    grants: GrantOrder[],
    more?: { hash?: string; incarnation?: string; expiresAt?: number; leader?: Leader },
  ) => AgentTurn;
  /** Order an upgrade of the host: job `u`, grant `ug`. */
  upgrade: (services?: string[]) => AgentTurn;
  check: (grantId: string, answers?: Partial<CheckAnswers>) => AgentTurn;
  /** Bring a grant to the moment right after its stop was started. */
  stopping: (grantId: string) => void;
  /** Die, and start again over the same journal. */
  crash: () => AgentTurn;
  reports: () => Report[];
}

/** What an agent wants done, in words: the effects of its turn but for the telling and looking. */
export const doing = ({ effects }: AgentTurn): string[] =>
  effects
    .filter(({ kind }) => kind !== 'send-reports' && kind !== 'observe')
    .map((effect) =>
      effect.kind === 'check'
        ? `check ${effect.purpose}`
        : effect.kind === 'alert'
          ? `alert: ${effect.message}`
          : effect.kind,
    );

/** A started agent with a settled journal that has heard two control records: server time 1,000,000. */
export const agentScene = (settled = true): AgentScene => {
  const here: AgentScene = {
    agent: bootAgent(emptyJournal('life-1', settled)),
    mono: 1_000,
    step: (event) =>
      agentStep(here.agent, event, { monoMs: here.mono, wallMs: wallBase + here.mono }),
    record: (n, more = {}) =>
      here.step({
        kind: 'record',
        newIncarnation: 'life-2',
        record: {
          number: [1, 1, n],
          serverTime: 1_000_000 + here.mono - 1_000,
          incarnation: 'life-1',
          ackedSeq: 0,
          pauses: [],
          freezes: [],
          excluded: false,
          voids: [],
          suspects: [],
          parked: [],
          ...more,
        },
      }),
    job: (jobId, grants, more = {}) =>
      here.step({
        kind: 'job',
        jobId,
        hash: more.hash ?? jobId,
        incarnation: more.incarnation ?? here.agent.journal.incarnation,
        leader: more.leader ?? [1, 1],
        expiresAt: more.expiresAt ?? 1_030_000,
        job: {
          kind: 'restart-batch',
          payload: { waveId: 'w', grants },
        },
      }),
    upgrade: (services = []) =>
      here.step({
        ...{ kind: 'job', jobId: 'u', hash: 'u', leader: [1, 1], expiresAt: 1_030_000 },
        incarnation: here.agent.journal.incarnation,
        job: {
          kind: 'host-upgrade',
          payload: {
            ...{
              waveId: 'w',
              grantId: 'ug',
              mode: 'security',
              packages: [],
              allowRemove: false,
              services,
            },
            ...{ beginBefore: 1_030_000, deadline: 2_000_000 },
          },
        },
      }),
    check: (grantId, answers = {}) =>
      here.step({ kind: 'checked', grantId, answers: { ...wellAnswers, ...answers } }),
    stopping: (grantId) => {
      here.check(grantId);
      here.step({ kind: 'drained', grantId, ok: true, found: 'ready', reason: '' });
      here.check(grantId);
    },
    crash: () => {
      here.agent = bootAgent(here.agent.journal);
      return here.step({ kind: 'booted' });
    },
    reports: () => [...here.agent.journal.reports.values()],
  };
  here.record(1);
  here.record(2);
  return here;
};
