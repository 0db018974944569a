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
    /** Wall-clock time in ISO 8601. */
    at: string;
    outcome: string | null;
    record: string;
    /** 1: it goes on its chain; 0: it is shown, and in no trail. */
    proven: number;
  };
  /** Signed statements of how far every chain went. */
  audit_checkpoints: {
    number: number;
    hash: string;
    /** Wall clock, ms since 1970. */
    made_at: number;
    /** Position of the last record that it has seen. */
    up_to: number;
    /** The statement, as JSON. */
    statement: string;
    /** Leaves that are new or longer than at the one before, as JSON. */
    changed: string;
  };
  /** How far each chain went at the last checkpoint. */
  audit_leaves: { chain: string; life: string; length: number; head: string };
  /** Files that old records were moved into, in order. */
  audit_segments: {
    number: number;
    file: string;
    /** The checkpoint that it ends with, its hash, and the last record that this one has seen. */
    last_checkpoint: number;
    hash: string;
    position: number;
    /** How far each chain went at that checkpoint, as JSON. */
    leaves: string;
  };
  /** Every key that has signed checkpoints; `since`: wall clock, ms since 1970. */
  audit_keys: { id: string; public_key: string; since: number };
  /** The last checkpoint that each place outside has been sent. */
  audit_anchors: { name: string; number: number };
  /** Mean restart time per service, learned. */
  restart_times: { service: string; mean_ms: number; samples: number };
}
