/** Tables of the server's own machinery. Times are ms of server time (R14) unless they say otherwise. */
export interface InfrastructureTables {
  /** One row. */
  meta: { id: 1; generation: number };
  /**
   * At most one row: this store is a backup that was made at `made_at` and put in place by `actor` at `restored_at` (null: by hand,
   * not known), and no server has taken that up yet (R16). Times are ms since 1970.
   */
  restored: { id: 1; made_at: number; restored_at: number | null; actor: string };
  /** One row: who leads. `expires_at` is by the database's own clock, in ms since 1970. */
  lease: { id: 1; epoch: number; holder: string; expires_at: number; ttl_ms: number };
  /** One row: server time never passes `reserved_until` without raising it first (R14). */
  server_clock: { id: 1; reserved_until: number };
  /** One row, or none before the first start: a `SettingsRecord` as JSON. */
  recorded_settings: { id: 1; doc: string };
  /** Jobs to hosts, until an answer closes them (R3). */
  outbox: {
    job_id: string;
    host_id: string;
    kind: string;
    /** The signed envelope, as JSON. */
    envelope: string;
    created_at: number;
    expires_at: number;
    closed_at: number | null;
    close_reason: string | null;
  };
  /** Whom the server believes. Whether a host takes part in waves is the fleet's matter, not this table's. */
  enrolled_hosts: {
    host_id: string;
    machine_id: string;
    state: 'enrolled' | 'revoked';
    /** Wall clock, ms since 1970: for people. */
    enrolled_at: number;
  };
  /** Valid public keys of a host: one, or two while they are rotated (R1). */
  host_keys: { host_id: string; key_id: string; public_key: string; added_at: number };
}
