/** What feeds say, and what hosts have. Times are ms since 1970 by the wall clock. */
export interface AdvisoryTables {
  /** One row a configured feed: how its polling stands, as JSON. */
  feeds: { name: string; doc: string };
  /** Every advisory in its newest form; one that was taken back stays, and says so. */
  advisories: {
    feed: string;
    id: string;
    /** SHA-256 of what it says: it is published again only when this changes. */
    hash: string;
    modified: string | null;
    withdrawn: number;
    first_seen: number;
    changed_at: number;
    /** 1: the matcher has not seen it in this form yet. */
    unmatched: number;
    doc: string;
  };
  /** Which advisories say something of a name, of a source or of a binary package, that may concern who has it. */
  advisory_names: { distro: string; name: string; feed: string; id: string };
  /** Distinct sets of packages; many hosts share one. */
  inventories: { hash: string; doc: string };
  host_inventories: {
    host_id: string;
    hash: string;
    /** Of the host's package transactions, the last that it knows. */
    transaction_number: number;
    /** When its repositories' indexes were last fetched, and what then went wrong. */
    refreshed_at: number | null;
    refresh_problem: string | null;
    reported_at: number;
    platform: string;
    /** Suites of security updates that its own sources name, as JSON. */
    security_suites: string;
  };
  /** When a version with a fix was first seen: the age of an update counts from here. */
  updates_seen: {
    platform: string;
    package: string;
    version: string;
    first_seen: number;
  };
}
