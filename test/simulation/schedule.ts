import type { Budget, Mode } from '../../src/core/service-settings.ts';

/** All that may go wrong, and all that people do, while waves go through the fleet. */
export const kinds = [
  // What the network and Redis do.
  ...(['jobs lost', 'reports lost', 'records lost', 'messages doubled', 'messages late'] as const),
  ...(['messages reordered', 'partition', 'server cut off', 'redis down'] as const),
  ...(['redis loses a second', 'redis loses all'] as const),
  // What processes and machines do.
  ...(['agent crash', 'agent crash before journal', 'agent crash after journal'] as const),
  ...(['agent paused', 'journal lost', 'host dies', 'clock jumps'] as const),
  'server clock jumps',
  ...(['server crash', 'server crash before commit', 'server crash after commit'] as const),
  ...(['leader paused', 'leader paused with its clock'] as const),
  // What containers do, and packages.
  ...(['falls sick', 'flaps', 'start fails', 'sick after start', 'straggler'] as const),
  ...(['drain fails', 'undrain fails', 'outside upgrade', 'host breaks', 'upgrade fails'] as const),
  // What owners and operators do.
  ...(['owner stops', 'owner starts', 'owner restarts'] as const),
  ...(['pause fleet', 'pause wave', 'pause service', 'pause host', 'pause queue'] as const),
  ...(['resume', 'freeze', 'unfreeze', 'approve', 'decline', 'stop wave', 'retry'] as const),
  ...(['restart by hand', 'upgrade', 'allow outage', 'park', 'unpark'] as const),
  ...(['exclude host', 'add host', 'cap of host'] as const),
] as const;
export type Kind = (typeof kinds)[number];

/** One fault or one act of a person. Which of these numbers count, and what for, is its kind's to say. */
export interface Act {
  /** Virtual seconds since the first package transaction. */
  at: number;
  kind: Kind;
  host: number;
  box: number;
  /** How long it lasts. */
  seconds: number;
  n: number;
}

export interface HostPlan {
  zone: number;
  cap: number | null;
  /** How much faster its monotonic clock goes, in millionths. */
  ratePpm: number;
  /** How wrong its wall clock is, in minutes. */
  wallMinutes: number;
}

export interface ServicePlan {
  budget: Budget;
  mode: Mode;
  drains: boolean;
  restartBroken: boolean;
  /** Containers on each host. */
  boxes: number[];
}

export interface Plan {
  hosts: HostPlan[];
  services: ServicePlan[];
  /** Containers on each host that no service claims (R18). */
  unclaimed: number;
  hostCap: number;
  zoneCap: number | null;
  fleetCap: number | null;
  maxFailures: number;
  canaries: number;
  /** Another server takes over when the leader's lease runs out; else the same one is started anew. */
  standby: boolean;
  /** Whether the first wave is an upgrade of ours, of a package that disrupts, or one by others. */
  first: 'others' | 'ours' | 'disruptive';
  /** So many seconds after it others upgrade another package on all hosts; null: they do not. */
  second: number | null;
  /** Boxes that an operator has in maintenance from the start, by number; -1: none. */
  maintained: number;
}

/** One run, wholly: the same again each time. */
export interface Schedule {
  /** Of all delays, and of what else is left to chance. */
  seed: number;
  plan: Plan;
  acts: Act[];
}
