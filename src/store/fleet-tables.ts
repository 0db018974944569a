import type { Generated } from 'kysely';

/** One row an entity: the columns that are asked for, and the whole entity as JSON (see `document.ts`). */
export interface FleetTables {
  fleet_hosts: { id: string; doc: string };
  fleet_containers: { id: string; host_id: string; service: string; doc: string };
  /** Ended grants stay, for history; `ended` is 1 then. */
  fleet_grants: {
    id: string;
    wave_id: string;
    host_id: string;
    container: string | null;
    ended: number;
    doc: string;
  };
  fleet_waves: { id: string; state: string; created_at: number; doc: string };
  /** What a wave has of each container (`members`) and each host (`upgrades`), which its own row has not. */
  fleet_wave_parts: {
    wave_id: string;
    part: 'members' | 'upgrades';
    key: string;
    /** Their order. */
    position: number;
    doc: string;
  };
  fleet_pauses: { id: string; doc: string };
  fleet_freezes: { id: string; doc: string };
  /** Every chain that the server keeps: its own (`server`) and a copy of each host's. */
  audit_records: {
    position: Generated<number>;
    chain: string;
    /** One life of a chain: a host's incarnation; empty for the server's. */
    life: string;
    seq: number;
    hash: string;
    container: string | null;
    service: string | null;
    wave_id: string | null;
    actor: string;
    record: string;
  };
  /** Mean restart time per service, learned. */
  restart_times: { service: string; mean_ms: number; samples: number };
}
