import type { GateBefore } from '../../../core/agent/journal.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

/** Ask a host gate that did not pass once more (R29). */
export const askGate = async (work: Work, before: GateBefore, life: Life): Promise<void> => {
  const gate = await work.gate.ask(before, { once: true, signal: life.signal });
  life.tell({ kind: 'gate', gate });
};
