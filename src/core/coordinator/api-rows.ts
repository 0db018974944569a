/** Counts of one BullMQ queue, for people; never the truth about what is in flight. */
export interface QueueCounts {
  name: string;
  waiting: number;
  active: number;
  delayed: number;
  completed: number;
  failed: number;
  paused: boolean;
}

/** One audit record as the store holds it. */
export interface AuditRow {
  /** Place in the store, for paging. */
  position: number;
  /** `server`, or the host whose chain it is. */
  chain: string;
  seq: number;
  hash: string;
  record: Record<string, unknown>;
  /** False: its host handed it over, and it does not go on that host's chain. */
  proven: boolean;
}
