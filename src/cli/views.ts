import type { Explanation, ServiceSummary, WaveSummary } from '../core/coordinator/explain.ts';
import type { Plan } from '../core/coordinator/plan.ts';
import type { Grant } from '../core/coordinator/fleet.ts';
import type { PauseLevel } from '../core/messages.ts';

/** Answers of the API, as its routes build them. */
export interface HostView {
  id: string;
  zone: string;
  /** Restarts at once; null: as the fleet has it. */
  cap: number | null;
  platform: string;
  state: string;
  heardAgoMs: number | null;
  containers: number;
  stale: number;
  atRest: boolean;
  atRestReason: string;
  gate: string | null;
  rebootRequired: string[];
  staleHostProcesses: { pid: number; command: string; paths: string[]; unit: string | null }[];
  agentStale: boolean;
  suspects: number;
}

export type ContainerLine = Explanation & {
  state: string;
  health: string;
  address: string | null;
  onHostRoot: boolean;
  unhidden: string[];
};

export interface StatusView {
  version: string;
  leader: boolean;
  redis: string;
  /** Kinds of what is wrong with Redis now; `alerts` says it in words. */
  redisFaults: string[];
  store: string;
  hosts: HostView[];
  services: ServiceSummary[];
  waves: WaveSummary[];
  pauses: {
    id: string;
    level: PauseLevel;
    actor: string;
    reason: string;
    state: 'pausing' | 'paused';
    inFlight: number;
    waitsFor: string[];
  }[];
  freezes: { id: string; actor: string; reason: string; until: number | null }[];
  grants: Grant[];
  /** What is wrong now, and since when, in ISO 8601; null: not known. */
  alerts: { since: string | null; text: string }[];
}

export type { Plan, ServiceSummary, WaveSummary };
