import type { TextBreak } from './broken-text.ts';

/** A rule that is taken out of the program, and the test that has to notice it. */
export interface Mutant extends TextBreak {
  /** As docs/protocol.md numbers it, or the part of the program that promises it. */
  rule: string;
  what: string;
  /** From the project's directory. */
  file: string;
  killedBy: {
    /** Of jest.config.js. */
    project: 'unit' | 'integration';
    /** From the project's directory. */
    file: string;
    /** A part of the names of the tests that have to fail; without it any of the file may. */
    test?: string;
  };
}
