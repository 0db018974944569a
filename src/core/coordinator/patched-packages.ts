import type { Wave } from './fleet.ts';

/** Binary packages that a wave is for; null: they are not known, so that a copy of any file counts (R27). */
export const patchedPackages = ({ cause }: Pick<Wave, 'cause'>): string[] | null =>
  'changes' in cause && cause.changes.length > 0 ? cause.changes.map(({ name }) => name) : null;
