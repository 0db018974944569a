import type { Arbitrary } from 'fast-check';

/** A document that is changed, and what must hold whatever it has become. */
export interface HostileTarget {
  /** The parser that it is for. */
  of: string;
  document: string;
  /** `directory`: for files of its own. */
  prepare: (directory: string) => Promise<{
    changed: Arbitrary<string | Uint8Array>;
    /** Throws where it does not hold. */
    check: (content: string | Uint8Array) => Promise<void>;
  }>;
}
