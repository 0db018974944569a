import type { CorePackage, CoreReason } from './manifest.ts';

/** What decides about a package in an index of a release. */
export interface DebIndexPackage {
  name: string;
  priority: string;
  essential: boolean;
  /** What it depends on before or after it is unpacked: each a list of alternatives, by name. */
  depends: readonly (readonly string[])[];
  provides: readonly string[];
}

/** As dpkg orders them, from what no system is without. */
const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra'];

const seedReason = ({ essential, priority }: DebIndexPackage): CoreReason | null => {
  if (essential) return 'essential';
  return priority === 'required' || priority === 'important' ? priority : null;
};

const rankOf = ({ priority }: DebIndexPackage): number => {
  const rank = PRIORITIES.indexOf(priority);
  return rank < 0 ? PRIORITIES.length : rank;
};

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

/** Who provides a name: of the more important priority first, then by name, so that the choice is always the same. */
const providersOf = (index: readonly DebIndexPackage[]): Map<string, DebIndexPackage[]> => {
  const providers = new Map<string, DebIndexPackage[]>();
  for (const one of index)
    for (const name of one.provides) {
      const known = providers.get(name);
      if (known === undefined) providers.set(name, [one]);
      else known.push(one);
    }
  for (const known of providers.values())
    known.sort((a, b) => rankOf(a) - rankOf(b) || byName(a, b));
  return providers;
};

/**
 * The core of a release: what is essential, required or important by its own index, and what that depends on. Libraries
 * are of no priority of their own there (libc6 and libssl3 are optional), so that without the second half the manifest would
 * leave out what matters most. Of alternatives that nothing of the core fulfils the first is taken, as by apt; versions are not
 * looked at, since a release has one of each.
 */
export const deriveDebCore = (index: readonly DebIndexPackage[]): CorePackage[] => {
  const known = new Map(index.map((one) => [one.name, one]));
  const providers = providersOf(index);
  const core = new Map<string, CorePackage>();
  const provided = new Set<string>();
  const queue: DebIndexPackage[] = [];
  const take = (one: DebIndexPackage, why: Omit<CorePackage, 'name'>): void => {
    core.set(one.name, { name: one.name, ...why });
    provided.add(one.name);
    for (const name of one.provides) provided.add(name);
    queue.push(one);
  };
  for (const one of [...known.values()].sort(byName)) {
    const why = seedReason(one);
    if (why !== null) take(one, { why });
  }
  for (const one of queue)
    for (const alternatives of one.depends) {
      if (alternatives.some((name) => provided.has(name))) continue;
      const chosen = alternatives
        .map((name) => known.get(name) ?? providers.get(name)?.[0])
        .find((candidate) => candidate !== undefined);
      if (chosen !== undefined) take(chosen, { why: 'dependency', of: one.name });
    }
  return [...core.values()].sort(byName);
};
