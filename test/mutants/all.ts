import { auditMutants } from './audit.ts';
import { feedMutants } from './feeds.ts';
import { hostMutants } from './host.ts';
import { journalMutants } from './journal.ts';
import { messageMutants } from './messages.ts';
import type { Mutant } from './mutant.ts';
import { scanMutants } from './scan.ts';
import { serviceMutants } from './service.ts';
import { storeMutants } from './stores.ts';

/** Breaks of what the model and the simulation, which have the core alone, do not reach. */
export const mutants: readonly Mutant[] = [
  ...messageMutants,
  ...storeMutants,
  ...journalMutants,
  ...auditMutants,
  ...hostMutants,
  ...scanMutants,
  ...feedMutants,
  ...serviceMutants,
];
