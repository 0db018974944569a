import type { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import type { Fleet, Wave } from '../../src/core/coordinator/fleet.ts';
import type { PauseLevel } from '../../src/core/messages.ts';
import type { At, Doing } from './doing.ts';
import { powerOff } from './acts-on-machines.ts';
import { disruptivePackage } from './first-fleet.ts';
import { act as ask, leaderNow } from './server.ts';
import { note } from './world.ts';
import type { Box, World } from './world.ts';

/** The n-th of what there is. */
const nth = <T>(all: Iterable<T>, n: number): T | undefined => {
  const list = [...all];
  return list[n % Math.max(1, list.length)];
};

const left = new Set(['pending', 'restarting', 'failed', 'stale', 'unknown']);

/** A person leaves what a wave would have restarted with its old code. */
export const leaveOld = (world: World, { members, byHand }: Wave): void => {
  if (byHand) return;
  for (const [id, { state }] of members) {
    const box = world.boxes.get(id);
    if (box !== undefined && left.has(state)) box.leftAt = box.machine.lower;
  }
};

/** A person takes it upon himself that a container stays down. */
const leaveDown = (box: Box): void => {
  Object.assign(box, { awayFor: null, waived: false, left: true });
};

/** Ask the server for something; answers what was done, or null where it refused. */
export const askFor = (world: World, action: OperatorAction): string | null => {
  const fleet = leaderNow(world)?.fleet;
  const wave = 'waveId' in action ? fleet?.waves.get(action.waveId) : undefined;
  const states = wave === undefined ? undefined : { ...wave, members: new Map(wave.members) };
  const resumed =
    action.action === 'resume' && action.level.level === 'wave'
      ? fleet?.waves.get(action.level.waveId)
      : undefined;
  const answer = ask(world, 'op', action);
  if (answer === null || !answer.ok) {
    if (answer !== null) note(world, () => `the server refuses: ${answer.reason}`);
    return null;
  }
  if (states !== undefined && (action.action === 'stop' || action.action === 'decline'))
    leaveOld(world, states);
  if (resumed !== undefined)
    for (const [id, { state }] of resumed.members) {
      const box = world.boxes.get(id);
      if (box !== undefined && (state === 'stale' || state === 'unknown'))
        box.leftAt = box.machine.lower;
    }
  if (action.action === 'park') {
    const box = world.boxes.get(action.container);
    if (box !== undefined) leaveDown(box);
  }
  return answer.text;
};

const waves = ({ waves: all }: Fleet): Wave[] =>
  [...all.values()].filter(({ state }) => state === 'open');

const asking =
  (choose: (fleet: Fleet, at: At, world: World) => OperatorAction | null): Doing =>
  (world, at) => {
    const fleet = leaderNow(world)?.fleet;
    const action = fleet === undefined ? null : choose(fleet, at, world);
    return action === null ? null : askFor(world, action);
  };

const pausing = (choose: (fleet: Fleet, at: At) => PauseLevel | null): Doing =>
  asking((fleet, at) => {
    const level = choose(fleet, at);
    return level === null ? null : { action: 'pause', level, reason: 'asked for' };
  });

const waveAct = (action: 'approve' | 'decline' | 'stop'): Doing =>
  asking((fleet, { act }) => {
    const wave = nth(waves(fleet), act.n);
    return wave === undefined ? null : { action, waveId: wave.id };
  });

const exclude: Doing = (world, { act, machine }) => {
  if (machine.fenced || leaderNow(world) === null) return null;
  if (machine.on) powerOff(world, machine);
  machine.fenced = true;
  for (const box of machine.boxes) box.waived = box.awayFor !== null;
  const reason = `fenced for ${act.seconds} s`;
  return askFor(world, { action: 'host-exclude', hostId: machine.id, fenced: true, reason });
};

export const peopleActs = {
  'pause fleet': pausing(() => ({ level: 'fleet' })),
  'pause wave': pausing((fleet, { act }) => {
    const wave = nth(waves(fleet), act.n);
    return wave === undefined ? null : { level: 'wave', waveId: wave.id };
  }),
  'pause service': pausing((fleet, { act }) => {
    const service = nth(fleet.services.keys(), act.n);
    return service === undefined ? null : { level: 'service', service };
  }),
  'pause host': pausing((_, { machine }) => ({ level: 'host', hostId: machine.id })),
  'pause queue': pausing((_, { machine }) => ({ level: 'queue', hostId: machine.id })),
  resume: asking((fleet, { act }) => {
    const paused = waves(fleet).filter(({ pausedBy }) => pausedBy !== null);
    const levels: PauseLevel[] = [
      ...[...fleet.pauses.values()].map(({ level }) => level),
      ...paused.map(({ id }): PauseLevel => ({ level: 'wave', waveId: id })),
    ];
    const level = nth(levels, act.n);
    return level === undefined ? null : { action: 'resume', level };
  }),
  freeze: asking(() => ({ action: 'freeze', reason: 'asked for', until: null })),
  unfreeze: asking((fleet, { act }) => {
    const id = nth(fleet.freezes.keys(), act.n);
    return id === undefined ? null : { action: 'unfreeze', id };
  }),
  approve: waveAct('approve'),
  decline: waveAct('decline'),
  'stop wave': waveAct('stop'),
  retry: asking((fleet, { act, machine }, world) => {
    if (act.n % 2 === 1) {
      world.retriers += 1;
      return null;
    }
    const wave = nth(waves(fleet), act.n);
    const failed = nth(
      [...fleet.grants.values()].filter((grant) => grant.failed),
      act.n,
    );
    const container = failed?.container ?? null;
    if (container !== null && act.n % 4 !== 0)
      return { action: 'retry', scope: { of: 'container', container } };
    if (act.n % 3 === 0) return { action: 'retry', scope: { of: 'host', hostId: machine.id } };
    return wave === undefined ? null : { action: 'retry', scope: { of: 'wave', waveId: wave.id } };
  }),
  'restart by hand': asking((fleet, { act }) => {
    const all = [...fleet.containers.keys()];
    const from = act.n % Math.max(1, all.length);
    const containers = all.slice(from, from + 1 + (act.n % 3));
    return containers.length === 0 ? null : { action: 'restart', containers, what: 'by hand' };
  }),
  upgrade: asking((fleet, { act }, world) => {
    const name = act.n % 4 === 0 ? disruptivePackage : `lib${act.n % 3}`;
    const hosts = world.machines
      .map(({ id }) => id)
      .filter((id) => fleet.hosts.get(id)?.state === 'enrolled')
      .slice(act.n % world.machines.length);
    const packages = [{ name, want: 'exact' as const, version: String(1 + (act.n % 4)) }];
    return hosts.length === 0
      ? null
      : { action: 'upgrade', hosts, mode: 'packages', packages, allowRemove: false };
  }),
  'allow outage': asking((fleet, { act }) => {
    const wave = nth(waves(fleet), act.n);
    const service = nth(fleet.services.keys(), act.n);
    return wave === undefined || service === undefined
      ? null
      : { action: 'allow-outage', waveId: wave.id, service };
  }),
  park: asking((fleet, { act }) => {
    const stopped = [...fleet.containers.values()].filter(
      ({ parked, view }) => !parked && view.state === 'stopped',
    );
    const container = nth(stopped, act.n)?.id;
    return container === undefined ? null : { action: 'park', container };
  }),
  unpark: asking((fleet, { act }) => {
    const parked = [...fleet.containers.values()].filter((one) => one.parked);
    const container = nth(parked, act.n)?.id;
    return container === undefined ? null : { action: 'unpark', container };
  }),
  'exclude host': exclude,
  'add host': asking((fleet, { machine }) =>
    fleet.hosts.get(machine.id)?.state === 'excluded'
      ? { action: 'host-add', hostId: machine.id, zone: null, cap: null }
      : null,
  ),
  'cap of host': asking((_, { act, machine }) => ({
    ...{ action: 'host-add', hostId: machine.id, zone: null },
    cap: act.n % 4 === 0 ? 'default' : 1 + (act.n % 4),
  })),
} satisfies Record<string, Doing>;
