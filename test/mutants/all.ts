import { auditMutants } from './audit.ts';
import { feedMutants } from './feeds.ts';
import { hostMutants } from './host.ts';
import { journalMutants } from './journal.ts';
import { messageMutants } from './messages.ts';
import type { Mutant } from './mutant.ts';
import { protocolMutants } from './protocol.ts';
import { scanMutants } from './scan.ts';
import { serviceMutants } from './service.ts';
import { storeMutants } from './stores.ts';

/** Breaks of what the model and the simulation, which have the core alone, do not reach, and of rules that a quick test has to notice too. */
export const mutants: readonly Mutant[] = [
  ...protocolMutants,
  ...messageMutants,
  ...storeMutants,
  ...journalMutants,
  ...auditMutants,
  ...hostMutants,
  ...scanMutants,
  ...feedMutants,
  ...serviceMutants,
];
