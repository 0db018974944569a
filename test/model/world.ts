import { isInterned } from './encode.ts';
import type { Agent } from '../../src/core/agent/agent.ts';
import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import type { ControlRecord, Leader, SequencedReport } from '../../src/core/messages.ts';

/** The moment of every state: times in a state are kept relative to it, so that equal states look equal. */
export const base = 1_000_000;
/** One step of time. Longer than half a control record's life, so that two of them outlive it. */
export const tickMs = 10_000;

/** One container as it really is. */
export interface Box {
  up: boolean;
  /** Version of the code that runs in it. */
  version: number;
  instance: number;
  /** Whether the load balancer sends it requests. */
  serves: boolean;
  /** An operator has it in maintenance: it must be left so (R28). */
  maintained: boolean;
  /** Who brought it down; null while it is up. */
  downBy: 'us' | 'owner' | 'death' | null;
  /** It died while a wave was to restart it, which has to start it then (R25). */
  owed: boolean;
  /** We began to stop it, and it is not healthy again since (I1). */
  away: boolean;
  sick: boolean;
  /** A sign to a person that this container needs one (L3, R15). */
  alerted: boolean;
}

/** A machine with its agent, its containers and the corner of Redis that is addressed to it. */
export interface Machine {
  id: string;
  alive: boolean;
  /** How many control records this life of the agent has read, two at most (R13). */
  heard: number;
  agent: Agent;
  boxes: Box[];
  /** Whether its service has something to drain. */
  drains: boolean;
  /** Boxes on which an `lxc-stop` is at work; it outlives the agent. */
  stops: number[];
  /** Version of the lower layer. */
  lower: number;
  dpkg: 'rest' | 'outside' | 'ours';
  /** A package transaction has broken what the host gate asks for. */
  broken: boolean;
  /** A package transaction that is over and of which nothing was journaled yet. */
  untold: boolean;
  /** Its containers were told of when a transaction was over and nobody had noticed it yet (R30). */
  seenTooEarly: boolean;
  /** Effects that the agent has under way: `kind grant`. They die with it. */
  todo: string[];
  /** What Redis holds as the control record. */
  register: ControlRecord | null;
  /** A record that a paused leader may still write. */
  late: ControlRecord | null;
  /** Reports of a lost journal that are still on their way. */
  wandering: SequencedReport[];
  /** Stops whose intent is audited and whose outcome is not (I4). */
  intents: string[];
}

export const faults = [
  'agent crash',
  'server crash',
  'leader paused',
  'job lost',
  'job doubled',
  'record lost',
  'journal lost',
  'delay',
  'drain fails',
  'start fails',
  'sick',
  'owner stops',
  'monitor killed',
  'outside upgrade',
  'pause',
  'pause wave',
  'pause service',
  'pause host',
  'pause queue',
  'freeze',
  'stop wave',
  'decline',
  'restart by hand',
  'retry',
  'upgrade',
  'upgrade fails',
  'undrain fails',
  'park',
  'owner restarts',
  'falls sick',
  'report overtakes',
  'report doubled',
  'redis empty',
  'host breaks',
] as const;
export type Fault = (typeof faults)[number];

/** A job that Redis holds, and who has put it in. */
export type Put = Send & { leader: Leader };

export interface World {
  now: number;
  fleet: Fleet;
  machines: Machine[];
  /** Outbox rows that no answer has closed (R3). */
  rows: Map<string, Send>;
  /** Copies of jobs that Redis holds. */
  wire: Map<string, Put>;
  /** How often each fault may still happen. */
  left: Partial<Record<Fault, number>>;
  /** Whether the host's own drain socket works; see `undrain fails`. */
  drainBroken: boolean;
  keepsPauses: boolean;
  /** Number of the last id, where none is ever given again; null: what is forgotten can be named again. */
  lastId: number | null;
  /** The store was put back to a backup: hosts have forgotten what it has not heard (R16). */
  restored: boolean;
  /** Waves for old code that a person has decided against. */
  decisions: number;
  /** What the store holds, as texts; null: not asked for since the fleet changed. No part of the state. */
  stored: ReadonlyMap<string, string> | null;
}

export interface Scenario {
  name: string;
  hosts: { boxes: number; maintained?: number }[];
  budget: number;
  hostCap: number;
  faults: Partial<Record<Fault, number>>;
  /** An upgrade by Groundswell's own job begins the wave instead of an outsider's. */
  ownUpgrade?: boolean;
  /** The store is put back by `groundswell restore`, which says so, and some time later once more to the same backup (R16). */
  saysSo?: boolean;
  /** Waves that hold all containers from the start, each of another package; default: one. */
  waves?: number;
  /** Nobody lifts a pause: what it does not hold must come to its end all the same. */
  keepsPauses?: boolean;
  /** Whether the service has something to drain; default: it has. */
  drains?: boolean;
  /** Failures that the wave bears (R32). */
  maxFailures?: number;
  canaries?: number;
  beginBeforeMs?: number;
}

/** Copy a world, or any part of it: maps, arrays and plain objects. What is interned never changes. */
export const clone = <T>(value: T): T =>
  value === null || typeof value !== 'object' ? value : (cloneObject(value) as T);

const cloneObject = (value: object): object => {
  if (isInterned(value)) return value;
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    for (const [key, entry] of value as Map<unknown, unknown>) copy.set(key, clone(entry));
    return copy;
  }
  if (Array.isArray(value)) {
    const copy: unknown[] = value.slice();
    for (let i = 0; i < copy.length; i++) copy[i] = clone(copy[i]);
    return copy;
  }
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const entry = copy[key];
    if (typeof entry === 'object' && entry !== null) copy[key] = cloneObject(entry);
  }
  return copy;
};

/** Clone a world; its settings and services never change and are shared, and on wish the whole fleet is. */
export const cloneWorld = (world: World, sharesFleet = false): World => ({
  now: world.now,
  fleet: sharesFleet ? world.fleet : cloneFleet(world.fleet),
  machines: clone(world.machines),
  rows: clone(world.rows),
  wire: clone(world.wire),
  left: { ...world.left },
  drainBroken: world.drainBroken,
  keepsPauses: world.keepsPauses,
  lastId: world.lastId,
  restored: world.restored,
  decisions: world.decisions,
  stored: world.stored,
});

const cloneFleet = ({ settings, services, ...rest }: Fleet): Fleet => ({
  ...clone(rest),
  settings,
  services,
});

/** A rule that does not hold; caught by the exploration, which prints the way to it. */
export class Violation extends Error {
  readonly rule: string;
  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

export const boxName = (index: number): string => `c${index + 1}`;
export const boxIndex = (name: string): number => Number(name.slice(1)) - 1;
