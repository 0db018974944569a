/** A step of a restart as its record has it: what, when by the wall clock (ISO 8601) and by the server's (R14). */
export type RecordedStep = {
  step: string;
  /** Null: reached under a program that did not note it. */
  at: string | null;
  serverMs: number;
};

/** What a record of the audit says beyond what all have. It is hashed, so its form is kept. */
export type AuditDetails = Record<
  string,
  string | number | boolean | null | string[] | RecordedStep[]
>;
