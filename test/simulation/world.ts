import type { Agent } from '../../src/core/agent/agent.ts';
import type { Journal } from '../../src/core/agent/journal.ts';
import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import type { HealthClock } from '../../src/core/health-clock.ts';
import type { ControlRecord, Leader, RecordNumber } from '../../src/core/messages.ts';
import type { PauseLevel, SequencedReport } from '../../src/core/messages.ts';
import type { PackageChange } from '../../src/core/packages.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';
import type { SimCore } from './sim-core.ts';
import type { SimStore } from './store.ts';
import type { Timeline } from './timeline.ts';

/** One container as it really is, whatever anybody believes. */
export interface Box {
  id: string;
  name: string;
  service: string;
  machine: Machine;
  drains: boolean;
  up: boolean;
  /** The state of the lower layer that it was started over. */
  version: number;
  instance: number;
  /** Whether the load balancer sends it requests. */
  serves: boolean;
  /** An operator has it in maintenance: it must be left so (R28). */
  maintained: boolean;
  sick: boolean;
  /** Since when it is up and well, without a break; null: it is not. */
  wellSince: number | null;
  /** Who brought it down; null while it is up. */
  downBy: 'us' | 'owner' | 'host' | 'death' | null;
  /** The last of its instances whose monitor was killed: what that leaves is there until its host boots anew (R25). */
  killed: string | null;
  /** The grant for which we began to stop it; null once it has been well again (I1). */
  awayFor: string | null;
  /** An operator has fenced its host while it was away: I1 and I6 are waived (R33). */
  waived: boolean;
  /** From the durable intent to stop it until its agent journaled that it is well: what goes down is ours (R24). */
  ours: boolean;
  /** So many of its next starts fail, or leave it sick. */
  badStarts: number;
  sickStarts: number;
  /** How much longer than usual everything takes. */
  slowness: number;
  /** State of the lower layer when a person decided to leave it with its old code; -1: never. */
  leftAt: number;
  /** A person took it upon himself that it stays down; until it is up again. */
  left: boolean;
  /** It is started when its host boots. */
  autostart: boolean;
  /** A stop command is at work on it; it outlives the agent. */
  stopping: boolean;
}

/** What is wrong with one side's way to Redis: shares of messages, in percent, and more delay. */
export interface Weather {
  cut: number;
  jobsLost: number;
  reportsLost: number;
  recordsLost: number;
  doubled: number;
  lateMs: number;
  reordered: number;
}

/** An upgrade of ours, by job: what the package manager knows of it. */
export interface Ran {
  state: 'running' | 'over';
  ok: boolean;
  noRoom: boolean;
  changes: PackageChange[];
}

/** A machine with its agent and its containers. */
export interface Machine {
  id: string;
  at: number;
  random: Random;
  boxes: Box[];
  weather: Weather;
  /** It has power. */
  on: boolean;
  /** An operator has fenced it: it stays off until that ends. */
  fenced: boolean;
  boot: number;
  // The agent's process.
  alive: boolean;
  /** Stopped by a signal until then; what was to happen in it happens after that. */
  frozenUntil: number;
  /** Which life of the process this is: what a former one had under way tells nobody. */
  life: number;
  bornAt: number;
  agent: Agent;
  lives: number;
  /** The highest record that the journal on disk names; what is echoed. */
  durableRecord: RecordNumber | null;
  /** The journal as the disk has it for certain, where more was written since: what is left when the power goes. */
  synced: { journal: Journal; record: RecordNumber | null } | null;
  /** The power goes as soon as that is so. */
  powerFails: (() => void) | null;
  /** What this process has read: how often a number rose, and when the last did, by its own clock (R13). */
  rises: number;
  roseAt: number;
  read: ControlRecord | null;
  /** It dies in one of its next turns, before or after the journal is written; null: not by that. */
  dies: { turns: number; before: boolean; downMs: number } | null;
  intents: Set<string>;
  /** Those of a journal that was lost: the next life, or the server, has to tell what came of them. */
  orphans: Set<string>;
  /** What happens to a container as soon as something of this kind is begun for it: by an act of the schedule. */
  traps: Map<string, (box: Box) => void>;
  clocks: Map<string, HealthClock>;
  // Reports.
  sentSeq: number;
  lowest: number;
  progressAt: number;
  againMs: number;
  sendAsked: boolean;
  resendAsked: boolean;
  heardLeader: RecordNumber | null;
  arrivesAt: number;
  sentOf: string;
  // Looking around.
  changed: Set<Box>;
  wholeWanted: boolean;
  beatWanted: boolean;
  lookAt: number;
  toldAt: number;
  wholeAt: number;
  readAsked: boolean;
  tickAsked: boolean;
  // Packages.
  lower: number;
  dpkg: 'rest' | 'outside' | 'ours';
  restSince: number;
  untold: PackageChange[];
  ran: Map<string, Ran>;
  upgrading: string | null;
  /** The watch has seen a transaction, or has not looked yet. */
  watchOpen: boolean;
  broken: boolean;
  drainFails: number;
  undrainFails: number;
  upgradeFails: number;
  /** So many things take all room for packages. */
  diskFull: number;
  wallOffsetMs: number;
  rate: number;
}

/** A server process that leads, or believes so. */
export interface Server {
  epoch: number;
  fleet: Fleet;
  alive: boolean;
  frozenUntil: number;
  /** By how much its monotonic clock is behind, since it was stopped together with its machine. */
  standstillMs: number;
  bornAt: number;
  /** Server time when it began, and how far it is reserved in the store (R14). */
  timeBase: number;
  timeLimit: number;
  highest: number;
  renewedAt: number;
  /** Newest record of each host that is not known to be in Redis (R12). */
  unpublished: Map<string, number>;
  seen: Map<string, { at: number; leader: Leader }>;
  cut: number;
  dies: { steps: number; before: boolean; downMs: number } | null;
}

export interface Put {
  send: Send;
  leader: Leader;
  state: 'waiting' | 'over';
}

export interface SimRedis {
  up: boolean;
  records: Map<string, ControlRecord>;
  jobs: Map<string, Map<string, Put>>;
  /** Reports that no server has taken yet. */
  reports: SequencedReport[];
  held: Set<string>;
  /** How to take back what was written in the last second. */
  lately: { at: number; undo: () => void }[];
}

/** What was in force when a grant was given, found out by the judge and not by the server (I1, I6). */
export interface Given {
  order: number;
  limit: number;
  hostCap: number;
  zoneCap: number | null;
  fleetCap: number | null;
  /** Beyond the budget, rightly (R17, R26). */
  exempt: boolean;
}

export interface World {
  core: SimCore;
  schedule: Schedule;
  time: Timeline;
  random: Random;
  store: SimStore;
  redis: SimRedis;
  machines: Machine[];
  boxes: Map<string, Box>;
  /** Service → its containers. */
  services: Map<string, Box[]>;
  /** The newest leader first; former ones may not know yet. */
  servers: Server[];
  given: Map<string, Given>;
  /** Pauses that were shown as `paused` and are in force, by id. */
  shown: Map<string, PauseLevel>;
  /** Grants whose end a server has recorded. */
  ended: Set<string>;
  /** How far the wall clock of whoever leads is off. */
  serverWallOffsetMs: number;
  /** Somebody waits for the next restart that fails, to try it again. */
  retriers: number;
  /** Faults and people have come to their end. */
  quiet: boolean;
  lastId: number;
  counts: Counts;
  /** What happens, for who reads it; null: nobody does. */
  trace: string[] | null;
}

export interface Counts {
  steps: number;
  faults: Record<string, number>;
  stops: number;
  grants: number;
  waves: number;
}

export const count = ({ counts }: World, what: string): void => {
  counts.faults[what] = (counts.faults[what] ?? 0) + 1;
};

export const seconds = (ms: number): string => (ms / 1_000).toFixed(2);

/** Note what happens, where somebody reads it. */
export const note = (world: World, text: () => string): void => {
  world.trace?.push(`${seconds(world.time.now()).padStart(9)}  ${text()}`);
};

/** Do something in a process's life: not once that is over, and not before it goes on. */
export const inLife = (world: World, machine: Machine, ms: number, run: () => void): void => {
  const { life } = machine;
  const attempt = (): void => {
    if (machine.life !== life || !machine.alive) return;
    const waits = machine.frozenUntil - world.time.now();
    if (waits > 0) world.time.after(waits, attempt);
    else run();
  };
  world.time.after(ms, attempt);
};

/** The same of a server. */
export const inServer = (world: World, server: Server, ms: number, run: () => void): void => {
  const attempt = (): void => {
    if (!server.alive) return;
    const waits = server.frozenUntil - world.time.now();
    if (waits > 0) world.time.after(waits, attempt);
    else run();
  };
  world.time.after(ms, attempt);
};

/** Monotonic ms of an agent's process. */
export const monoOf = (world: World, { bornAt, rate }: Machine): number =>
  Math.floor((world.time.now() - bornAt) * rate);

export const wallOf = (world: World, { wallOffsetMs }: Pick<Machine, 'wallOffsetMs'>): number =>
  1_800_000_000_000 + world.time.now() + wallOffsetMs;

/** How long something takes on a container's host. */
export const takes = ({ machine, slowness }: Box, least: number, most: number): number =>
  machine.random.between(least, most) * slowness;
