import type { Agent, AgentAudit, AgentEffect, AgentEvent } from '../../src/core/agent/agent.ts';
import type { AgentGrant, GateBefore, Journal } from '../../src/core/agent/journal.ts';
import type { ContainerView, GateAnswer } from '../../src/core/messages.ts';
import type { PackageChange } from '../../src/core/packages.ts';
import type { Core } from './core.ts';
import { reached } from '../../src/core/messages.ts';
import { boxIndex, boxName, Violation } from './world.ts';
import type { Box, Machine, World } from './world.ts';

export const settingsHash = 'settings';

const instanceOf = (box: Box) =>
  box.up ? { bootId: 'boot', initPid: 1, startTime: String(box.instance) } : null;

/** What an agent sees of a box; the owner's stop is known by what the journal remembers. */
export const viewOf = (machine: Machine, index: number): ContainerView => {
  const box = machine.boxes[index] as Box;
  const name = boxName(index);
  const stale = box.up && box.version !== machine.lower;
  return {
    name,
    groups: [],
    address: null,
    onHostRoot: true,
    oldForm: false,
    rootNote: '',
    state: box.up ? 'running' : 'stopped',
    instance: instanceOf(box),
    identity: null,
    health: box.up && !box.sick ? 'healthy' : 'unhealthy',
    healthReason: '',
    stale: stale
      ? [{ pid: 1, startTime: '', command: '', path: '', kind: 'replaced', process: 'container' }]
      : [],
    shadowed: [],
    unreadable: [],
    ownerStopped: machine.agent.journal.containers.get(name)?.ownerStopped ?? false,
    died: !box.up && (machine.agent.journal.containers.get(name)?.died ?? false),
    optOut: null,
    parked: null,
    unhidden: [],
  };
};

/** Of the package of the wave of that number. */
export const changesOf = (wave: number): PackageChange[] => [
  { name: `lib${wave}`, arch: '', source: `lib${wave}`, from: '0', to: '1' },
];

export const changes = changesOf(1);

/** What the host gate says now. */
export const gateOf = ({ broken }: Machine): GateAnswer =>
  broken ? { ok: false, reason: 'broken' } : { ok: true, reason: '' };

/** What an agent notes when a transaction begins: of no interest here, but that it is kept. */
export const gateBefore: GateBefore = { at: 0, abilities: null, healthy: [] };

/** Every stop has an intent that is durable before it, and an outcome in the end (I4). */
const noteAudits = (machine: Machine, audits: AgentAudit[]): void => {
  for (const { action, grantId, outcome } of audits) {
    if (grantId === null) continue;
    if (action === 'stop-begun' && !machine.intents.includes(grantId))
      machine.intents = [...machine.intents, grantId].sort();
    else if (outcome !== null && outcome !== 'failed')
      machine.intents = machine.intents.filter((id) => id !== grantId);
  }
};

const todoFor = (effect: AgentEffect): string | null => {
  switch (effect.kind) {
    case 'send-reports':
    case 'observe':
    case 'heartbeat':
    case 'take-inventory':
    case 'alert':
    case 'await-room':
      return null;
    case 'end-stray-stops':
      return 'end-stray-stops -';
    case 'ask-gate':
      return 'ask-gate -';
    case 'run-upgrade':
      return `${effect.resume ? 'await-upgrade' : 'run-upgrade'} ${effect.jobId}`;
    case 'watch-health':
      return `${effect.deadline ? 'watch-health' : 'watch-long'} ${effect.grant.order.grantId}`;
    default:
      return `${effect.kind} ${effect.grant.order.grantId}`;
  }
};

/** Give the agent an event; what it wants done stands in the world's `todo` then. Looking around is done at once. */
export const feed = (core: Core, world: World, machine: Machine, event: AgentEvent): void => {
  const { audits, effects } = core.agentStep(machine.agent, event, {
    ...{ monoMs: world.now, wallMs: 0 },
  });
  noteAudits(machine, audits);
  // An agent looks around every few seconds, so perhaps right after an end that is told: where reports
  // overtake one another that could go wrong.
  let looks = 'report overtakes' in world.left && audits.some(({ outcome }) => outcome === 'done');
  for (const effect of effects) {
    if (effect.kind === 'observe') looks = true;
    if (effect.kind === 'heartbeat') tellHost(core, world, machine, { whole: false });
    if (effect.kind === 'alert') {
      const name = /c\d/.exec(effect.message)?.[0] ?? '';
      const box = machine.boxes[boxIndex(name)];
      const suspect = machine.agent.record?.value.suspects.find(
        (other) => other.container === name,
      );
      if (suspect !== undefined && reached(suspect.step, 'stopping'))
        throw new Violation('R15', `a person is asked about ${name}, which is ours to start`);
      if (box !== undefined) box.alerted = true;
    }
    const todo = todoFor(effect);
    if (todo !== null && !machine.todo.includes(todo)) machine.todo.push(todo);
  }
  if (looks) observe(core, world, machine);
};

export const observe = (core: Core, world: World, machine: Machine): void => {
  if (machine.dpkg === 'rest' && machine.todo.includes('notice-transaction -'))
    machine.seenTooEarly = true;
  machine.boxes.forEach((box, index) => {
    feed(core, world, machine, {
      kind: 'observed',
      name: boxName(index),
      state: box.up ? 'running' : 'stopped',
      ...{ instance: instanceOf(box), identity: null, bootId: 'boot' },
      left: box.downBy === 'death',
    });
  });
  tellHost(core, world, machine, { whole: true });
};

const tellHost = (
  core: Core,
  world: World,
  machine: Machine,
  { whole }: { whole: boolean },
): void => {
  feed(core, world, machine, {
    kind: 'host-observed',
    observed: {
      whole,
      containers: whole ? machine.boxes.map((_, index) => viewOf(machine, index)) : [],
      settingsHashes: { '*': settingsHash },
      atRest: machine.dpkg === 'rest',
      atRestReason: '',
      rebootRequired: [],
      staleHostProcesses: [],
      platform: 'p',
      agentStale: false,
      problems: [],
    },
  });
};

export const grantOf = (machine: Machine, id: string): AgentGrant | undefined =>
  machine.agent.journal.grants.get(id);

export const answersFor = (machine: Machine, index: number) => {
  const box = machine.boxes[index] as Box;
  return {
    state: box.up ? ('running' as const) : ('stopped' as const),
    instance: instanceOf(box),
    stale: box.version !== machine.lower ? ('stale' as const) : ('fresh' as const),
    health: box.up && !box.sick ? ('healthy' as const) : ('unhealthy' as const),
    atRest: { ok: machine.dpkg === 'rest', reason: '' },
    settingsHash,
    optOut: null,
    ...(machine.drains ? { found: box.serves ? 'ready' : 'maint' } : {}),
  };
};

/** Somebody's package manager is at work: what runs now is old from its first file on, noticed or not. */
export const beginTransaction = (machine: Machine): void => {
  machine.dpkg = 'outside';
  machine.lower += 1;
  if (machine.alive) machine.todo.push('notice-transaction -');
};

/** It is done: what was started meanwhile may be old as well, and the agent, if it lives, will tell. */
export const endTransaction = (machine: Machine): void => {
  machine.dpkg = 'rest';
  machine.lower += 1;
  machine.untold = true;
  if (machine.alive) machine.todo.push('tell-transaction -');
};

/**
 * A process over this journal. It may tell before it has read a record, which real ones do not: that is more than can
 * happen, and journals that are rolled back are the simulation's and the unit tests' matter (R15).
 */
export const bootOver = (core: Core, journal: Journal): Agent => ({
  ...core.bootAgent(journal),
  foundSeq: null,
});

export const crash = (core: Core, machine: Machine): void => {
  machine.alive = false;
  machine.heard = 0;
  machine.todo = [];
  machine.agent = bootOver(core, machine.agent.journal);
};

export const boot = (core: Core, world: World, machine: Machine): void => {
  machine.alive = true;
  // Until its watch has looked once it takes a transaction for open; one that looks at once and finds none is the same.
  if (machine.dpkg === 'outside' || machine.untold)
    feed(core, world, machine, { kind: 'transaction', phase: 'open' });
  feed(core, world, machine, { kind: 'booted' });
  if (machine.dpkg === 'outside') machine.todo.push('notice-transaction -');
  if (machine.untold) machine.todo.push('tell-transaction -');
};

/** The journal's disk is replaced: what was on its way still is, and nothing is remembered. */
export const loseJournal = (core: Core, machine: Machine): void => {
  const { journal, record } = machine.agent;
  for (const [seq, report] of journal.reports)
    machine.wandering.push({
      host: machine.id,
      incarnation: journal.incarnation,
      seq,
      echo: record?.value.number ?? [0, 0, 0],
      acked: 0,
      report,
    });
  crash(core, machine);
  machine.agent = bootOver(core, core.emptyJournal(`${journal.incarnation}+`, false));
};
