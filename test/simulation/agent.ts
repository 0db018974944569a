import type { AgentAudit, AgentEvent } from '../../src/core/agent/agent.ts';
import type { Journal } from '../../src/core/agent/journal.ts';
import type { AgentTurn } from '../../src/core/agent/step.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import type { Leader } from '../../src/core/messages.ts';
import { clone } from '../model/world.ts';
import { perform } from './effects.ts';
import { lookSoon, pulse } from './look.ts';
import { beginWatch } from './packages.ts';
import { fetchJobs } from './redis.ts';
import { askToRead } from './records.ts';
import { wakeSender } from './reports.ts';
import { inLife, monoOf, note, wallOf } from './world.ts';
import type { Machine, World } from './world.ts';

/** An agent looks at its grants so often while any of them is open. */
const tickMs = 1_000;

export const newId = (world: World, what: string): string => `${what}${(world.lastId += 1)}`;

export const boxOf = (machine: Machine, name: string) =>
  machine.boxes.find((box) => box.name === name);

/** What the agent still has to do with what it was given. */
export const anythingOpen = ({ grants, upgrades, gate, settled }: Journal): boolean => {
  if (!settled || (gate?.failed ?? null) !== null) return true;
  for (const { end } of grants.values()) if (end === null) return true;
  for (const { step } of upgrades.values()) if (step !== 'ended') return true;
  return false;
};

/** Every stop has an intent that is durable before it, and an outcome in the end (I4). */
const noteAudits = (machine: Machine, audits: readonly AgentAudit[]): void => {
  for (const { action, grantId, container, outcome } of audits) {
    if (grantId === null) continue;
    const box = container === null ? undefined : boxOf(machine, container);
    if (action === 'stop-begun') {
      machine.intents.add(grantId);
      if (box !== undefined) box.ours = true;
    } else if (outcome !== null && outcome !== 'failed') {
      machine.intents.delete(grantId);
      machine.orphans.delete(grantId);
      // A retry takes over what the one that it retries had stopped.
      if (box !== undefined && outcome !== 'retried') box.ours = false;
    }
  }
};

const askToTick = (world: World, machine: Machine): void => {
  if (machine.tickAsked || !anythingOpen(machine.agent.journal)) return;
  machine.tickAsked = true;
  inLife(world, machine, tickMs, () => {
    machine.tickAsked = false;
    feed(world, machine, { kind: 'tick' });
  });
};

/** A record by which nothing was done yet is made durable by the next turn that does something. */
const isHearing = (
  event: AgentEvent,
  { audits, effects }: { audits: readonly unknown[]; effects: readonly unknown[] },
): boolean => event.kind === 'record' && audits.length === 0 && effects.length === 0;

/** Turns of these kinds come all the time: those that leave nothing to journal, and do nothing, are not counted. */
const isEmpty = ({ kind }: AgentEvent, { audits, effects }: AgentTurn): boolean =>
  (kind === 'tick' || kind === 'record') && audits.length === 0 && effects.length === 0;

/** Whether it is this turn's journal write before or after which the process dies. */
const diesNow = (
  { dies }: Machine,
  event: AgentEvent,
  turn: AgentTurn,
): 'before' | 'after' | null => {
  if (dies === null || isEmpty(event, turn)) return null;
  dies.turns -= 1;
  if (dies.turns > 0) return null;
  return dies.before ? 'before' : 'after';
};

/** Events after which the disk is perhaps not waited for. */
const unsyncedKinds = new Set<AgentEvent['kind']>([
  'job',
  'checked',
  'child',
  'stop-over',
  'start-over',
  'health',
]);

/** Whether what this turn writes may be lost with the power: only asked for where power is. */
const mayBeUnsynced = ({ schedule }: World, { synced }: Machine, { kind }: AgentEvent): boolean =>
  synced === null &&
  unsyncedKinds.has(kind) &&
  schedule.acts.some((act) => act.kind === 'host dies' || act.kind === 'exclude host');

/** One turn of the agent: step, journal, then its effects, as its loop does it. */
export const feed = (world: World, machine: Machine, event: AgentEvent): void => {
  if (!machine.alive) return;
  world.counts.steps += 1;
  const { agent, dies } = machine;
  const mayBeLast = dies?.before === true && dies.turns <= 1;
  const before = mayBeLast || mayBeUnsynced(world, machine, event) ? clone(agent.journal) : null;
  const turn = world.core.agentStep(agent, event, {
    monoMs: monoOf(world, machine),
    wallMs: wallOf(world, machine),
  });
  const end = diesNow(machine, event, turn);
  if (end === 'before' && before !== null) {
    // What was not written has not happened.
    agent.journal = before;
    note(world, () => `${machine.id}: the agent dies before it has journaled ${event.kind}`);
    return crash(world, machine, dies?.downMs ?? 0);
  }
  if (turn.sync && !isHearing(event, turn)) machine.synced = null;
  else if (before !== null) machine.synced ??= { journal: before, record: machine.durableRecord };
  if (!isHearing(event, turn)) machine.durableRecord = agent.journal.highestRecord;
  noteAudits(machine, turn.audits);
  if (world.trace !== null) traceTurn(world, machine, event, turn.audits);
  if (end === 'after') {
    note(world, () => `${machine.id}: the agent dies after it has journaled ${event.kind}`);
    return crash(world, machine, dies?.downMs ?? 0);
  }
  if (turn.audits.length > 0) wakeSender(world, machine);
  for (const effect of turn.effects) perform(world, machine, effect);
  askToTick(world, machine);
  if (machine.synced !== null) machine.powerFails?.();
};

const quietEvents = new Set<AgentEvent['kind']>(['tick', 'record', 'host-observed', 'observed']);

const traceTurn = (
  world: World,
  machine: Machine,
  event: AgentEvent,
  audits: readonly AgentAudit[],
): void => {
  const named =
    'grantId' in event ? ` ${event.grantId}` : 'jobId' in event ? ` ${event.jobId}` : '';
  const said = audits.map(
    ({ action, container, outcome, details }) =>
      ` [${action}${container === null ? '' : ` ${container}`}${outcome === null ? '' : ` ${outcome}`}${typeof details['reason'] === 'string' && details['reason'] !== '' ? `: ${details['reason']}` : ''}]`,
  );
  if (!quietEvents.has(event.kind) || said.length > 0)
    note(world, () => `${machine.id}: agent ${event.kind}${named}${said.join('')}`);
};

/** A job is handed to the agent, which completes it as soon as it is journaled (R4). */
export const giveJob = (
  world: World,
  machine: Machine,
  { send, leader }: { send: Send; leader: Leader },
): void => {
  const { jobId, incarnation, expiresAt } = send;
  const job =
    send.kind === 'observe-host'
      ? { kind: send.kind, refresh: false }
      : send.kind === 'restart-batch'
        ? { kind: send.kind, payload: send.payload }
        : { kind: send.kind, payload: send.payload };
  const { life } = machine;
  feed(world, machine, { kind: 'job', jobId, hash: jobId, incarnation, leader, expiresAt, job });
  // It is synced before the job completes.
  if (machine.alive && machine.life === life) machine.synced = null;
};

/** The process is gone; what it had begun on containers and packages goes on by itself. */
export const kill = (world: World, machine: Machine): void => {
  machine.alive = false;
  machine.life += 1;
  machine.dies = null;
  machine.frozenUntil = 0;
  const { journal } = machine.agent;
  // To have forgotten a record by which nothing was done is the same as not to have heard it.
  journal.highestRecord = machine.durableRecord;
  machine.agent = world.core.bootAgent(journal);
};

export const crash = (world: World, machine: Machine, downMs: number): void => {
  if (!machine.alive) return;
  kill(world, machine);
  const { life } = machine;
  world.time.after(downMs, () => {
    if (machine.life === life && machine.on && !machine.alive) begin(world, machine);
  });
};

/** The agent's process starts over the journal that it finds. */
export const begin = (world: World, machine: Machine): void => {
  machine.alive = true;
  machine.life += 1;
  machine.bornAt = world.time.now();
  Object.assign(machine, { rises: 0, roseAt: 0, read: null, readAsked: false, tickAsked: false });
  Object.assign(machine, { sentSeq: 0, lowest: 0, sendAsked: false, resendAsked: false });
  Object.assign(machine, { heardLeader: null, sentOf: '', upgrading: null, watchOpen: true });
  Object.assign(machine, { lookAt: Infinity, toldAt: 0, wholeAt: 0, wholeWanted: true });
  machine.clocks.clear();
  note(world, () => `${machine.id}: the agent starts`);
  feed(world, machine, { kind: 'booted' });
  // R30: until its watch has looked once a process takes a transaction for open.
  feed(world, machine, { kind: 'transaction', phase: 'open' });
  beginWatch(world, machine);
  askToRead(world, machine);
  fetchJobs(world, machine);
  lookSoon(world, machine, 500);
  pulse(world, machine);
};

/** The journal's disk is replaced; what was sent of it is still on its way. */
export const loseJournal = (world: World, machine: Machine, downMs: number): void => {
  const open = new Set(
    [...(world.servers[0]?.fleet.grants.values() ?? [])].map(({ container }) => container),
  );
  const { journal } = machine.agent;
  for (const box of machine.boxes) {
    const held = [...journal.grants.values()].some(
      ({ end, order }) => end === null && order.container === box.name,
    );
    // Nobody knows any more who brings it down: what the server believes begun is started again (R15).
    if (held || open.has(box.id)) box.ours = true;
  }
  if (machine.alive) kill(world, machine);
  machine.lives += 1;
  machine.agent = world.core.bootAgent(
    world.core.emptyJournal(`${machine.id}-life${machine.lives}`, false),
  );
  machine.durableRecord = null;
  machine.synced = null;
  for (const grantId of machine.intents) machine.orphans.add(grantId);
  machine.intents.clear();
  const { life } = machine;
  world.time.after(downMs, () => {
    if (machine.life === life && machine.on) begin(world, machine);
  });
};
