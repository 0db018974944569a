import type { KnownContainer } from '../../src/core/agent/journal.ts';
import type { ContainerView } from '../../src/core/messages.ts';
import { feed } from './agent.ts';
import { inLife, note } from './world.ts';
import type { Box, Machine, World } from './world.ts';

const lookEveryMs = 5_000;
const beatMs = 20_000;
const wholeMs = 300_000;

/** Settings of a service on a host; it is the same for all. */
export const settingsHash = 'settings';

export const instanceOf = ({ up, instance, machine }: Box) =>
  up ? { bootId: `boot${machine.boot}`, initPid: 1 + instance, startTime: String(instance) } : null;

export const isStale = ({ up, version, machine }: Box): boolean => up && version !== machine.lower;

const staleFile = {
  ...{ pid: 1, startTime: '', command: '', path: '/lib', kind: 'replaced' as const },
  process: 'container' as const,
};

const knownOf = ({ name, machine }: Box): KnownContainer | undefined =>
  machine.agent.journal.containers.get(name);

/** Whether what a killed monitor left is there still, of the instance that the agent has seen last. */
const isLeft = (box: Box): boolean =>
  box.killed !== null && knownOf(box)?.instance?.startTime === box.killed;

/** What an agent sees of a container. */
export const viewOf = (box: Box): ContainerView => ({
  name: box.name,
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
  stale: isStale(box) ? [staleFile] : [],
  shadowed: [],
  unreadable: [],
  ownerStopped: knownOf(box)?.ownerStopped ?? false,
  died: !box.up && (knownOf(box)?.died ?? false),
  optOut: null,
  parked: null,
  unhidden: [],
});

/** Something about a container is another: it has been well without a break no more, or only from now on. */
export const changed = (world: World, box: Box): void => {
  settle(world, box);
  const isWell = box.up && !box.sick;
  if (!isWell) box.wellSince = null;
  else box.wellSince ??= world.time.now();
  const { machine } = box;
  machine.changed.add(box);
  lookSoon(world, machine, machine.random.below(lookEveryMs));
};

/** A container that has been well for as long as its health check asks is back (I1). */
export const settle = (world: World, box: Box): void => {
  if (box.wellSince === null || world.time.now() - box.wellSince < wellMs) return;
  box.awayFor = null;
  box.waived = false;
};
export const wellMs = 2_000;

export const lookSoon = (world: World, machine: Machine, ms: number): void => {
  const at = world.time.now() + ms;
  if (!machine.alive || machine.lookAt <= at) return;
  machine.lookAt = at;
  inLife(world, machine, ms, () => {
    if (machine.lookAt !== at) return;
    machine.lookAt = Infinity;
    look(world, machine);
  });
};

/** What core's `observe` effects ask for. */
export const observe = (world: World, machine: Machine, name: string | null): void => {
  const box = machine.boxes.find((one) => one.name === name);
  if (box === undefined) machine.wholeWanted = true;
  else machine.changed.add(box);
  lookSoon(world, machine, machine.random.between(20, 300));
};

export const heartbeat = (world: World, machine: Machine): void => {
  machine.beatWanted = true;
  lookSoon(world, machine, machine.random.between(5, 50));
};

const tell = (world: World, machine: Machine, whole: boolean, boxes: Iterable<Box>): void => {
  machine.beatWanted = false;
  machine.toldAt = world.time.now();
  feed(world, machine, {
    kind: 'host-observed',
    observed: {
      ...{ whole, containers: [...boxes].map(viewOf), settingsHashes: { '*': settingsHash } },
      ...{ atRest: machine.dpkg === 'rest', atRestReason: '', rebootRequired: [] },
      ...{ staleHostProcesses: [], platform: 'p', agentStale: false, problems: [] },
    },
  });
};

/** Look at what has changed, or at all, and report it; while packages change nothing is said about containers (R30). */
const look = (world: World, machine: Machine): void => {
  const { life } = machine;
  const boxes = machine.wholeWanted ? machine.boxes : [...machine.changed];
  for (const box of boxes) {
    feed(world, machine, {
      kind: 'observed',
      name: box.name,
      state: box.up ? 'running' : 'stopped',
      ...{ instance: instanceOf(box), identity: null, bootId: `boot${machine.boot}` },
      left: isLeft(box),
    });
    if (machine.life !== life) return;
  }
  if (machine.agent.transactionOpen) {
    if (machine.beatWanted) tell(world, machine, false, []);
    return;
  }
  const whole = machine.wholeWanted;
  if (!whole && boxes.length === 0 && !machine.beatWanted) return;
  machine.changed.clear();
  machine.wholeWanted = false;
  if (whole) machine.wholeAt = world.time.now();
  tell(world, machine, whole, boxes);
};

/** The server hears something at least every 20 s (R17), and of all containers every few minutes. */
export const pulse = (world: World, machine: Machine): void => {
  inLife(world, machine, beatMs, () => {
    const now = world.time.now();
    if (now - machine.wholeAt >= wholeMs) machine.wholeWanted = true;
    const { size } = machine.agent.journal.reports;
    if (machine.wholeWanted || machine.changed.size > 0) lookSoon(world, machine, 0);
    else if (size === 0 && now - machine.toldAt >= beatMs) tell(world, machine, false, []);
    pulse(world, machine);
  });
};

/**
 * Who brought it down, as far as anybody can tell: from the durable intent on, and until it was well again, what goes down is
 * ours to bring back (R24, R25). What is started after it died and stopped again between two looks of its agent has died.
 */
const blamed = (box: Box, by: 'owner' | 'host' | 'death'): Box['downBy'] => {
  if (box.ours) return 'us';
  const isUnseen = knownOf(box)?.died === true || isLeft(box);
  return by === 'owner' && isUnseen ? 'death' : by;
};

/** A container goes down by itself, or by somebody's doing that is not ours. */
export const goesDown = (world: World, box: Box, by: 'owner' | 'host' | 'death'): void => {
  if (!box.up) return;
  box.downBy = blamed(box, by);
  if (by === 'death') box.killed = String(box.instance);
  Object.assign(box, { up: false, sick: false });
  note(world, () => `${box.id} is down, by ${by}${box.ours ? ' while it is ours' : ''}`);
  changed(world, box);
};

export const comesUp = (world: World, box: Box): void => {
  Object.assign(box, { up: true, version: box.machine.lower, downBy: null, left: false });
  box.instance += 1;
  box.sick = box.sickStarts > 0;
  if (box.sickStarts > 0) box.sickStarts -= 1;
  changed(world, box);
};
