import type { InstalledPackage, PackageChange } from './packages.ts';

const keyOf = ({ name, arch }: InstalledPackage): string => `${name}:${arch}`;

const byKey = (packages: readonly InstalledPackage[]): Map<string, InstalledPackage[]> => {
  const groups = new Map<string, InstalledPackage[]>();
  for (const one of packages) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
};

const installed = (one: InstalledPackage): PackageChange => ({
  name: one.name,
  arch: one.arch,
  source: one.source,
  from: null,
  to: one.version,
});

const removed = (one: InstalledPackage): PackageChange => ({
  name: one.name,
  arch: one.arch,
  source: one.source,
  from: one.version,
  to: null,
});

const groupChanges = (
  before: readonly InstalledPackage[],
  after: readonly InstalledPackage[],
): PackageChange[] => {
  const gone = before.filter((old) => !after.some(({ version }) => version === old.version));
  const fresh = after.filter((one) => !before.some(({ version }) => version === one.version));
  const [from] = gone;
  const [to] = fresh;
  // Packages that are installed in several versions at once (kernels of dnf hosts) are not replaced.
  if (before.length === 1 && after.length === 1 && from !== undefined && to !== undefined)
    return [{ ...installed(to), from: from.version }];
  return [...gone.map(removed), ...fresh.map(installed)];
};

/** A package that moved between `all` and one architecture was upgraded, not removed and installed. */
const joinMoves = (changes: readonly PackageChange[]): PackageChange[] => {
  const byName = new Map<string, PackageChange[]>();
  for (const change of changes) {
    const group = byName.get(change.name);
    if (group === undefined) byName.set(change.name, [change]);
    else group.push(change);
  }
  return [...byName.values()].flatMap((group) => {
    const gone = group.find(({ to }) => to === null);
    const fresh = group.find(({ from }) => from === null);
    if (group.length !== 2 || gone === undefined || fresh === undefined) return group;
    if ((gone.arch === 'all') === (fresh.arch === 'all')) return group;
    return [{ ...fresh, from: gone.from }];
  });
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What happened between two inventories of one host, sorted by name and architecture. A package
 * that was installed again in the same version did not change.
 */
export const packageChanges = (
  before: readonly InstalledPackage[],
  after: readonly InstalledPackage[],
): PackageChange[] => {
  const old = byKey(before);
  const now = byKey(after);
  const keys = new Set([...old.keys(), ...now.keys()]);
  const changes = [...keys].flatMap((key) => groupChanges(old.get(key) ?? [], now.get(key) ?? []));
  return joinMoves(changes).sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.arch, b.arch),
  );
};

/**
 * The inventory `before` with `changes` done to it: what it must look like if nothing else happened.
 * Entries come from `after` where it has the version that a change led to.
 */
export const withChanges = (
  before: readonly InstalledPackage[],
  changes: readonly PackageChange[],
  after: readonly InstalledPackage[],
): InstalledPackage[] => {
  const result = new Map(before.map((one) => [`${keyOf(one)}=${one.version}`, one]));
  for (const { name, arch, source, from, to } of changes) {
    if (from !== null)
      for (const [key, one] of result)
        if (one.name === name && one.version === from && (one.arch === arch || to !== null))
          if (one.arch === arch || one.arch === 'all' || arch === 'all') result.delete(key);
    if (to === null) continue;
    const entry = after.find(
      (one) => one.name === name && one.arch === arch && one.version === to,
    ) ?? { name, arch, version: to, source, sourceVersion: to };
    result.set(`${keyOf(entry)}=${entry.version}`, entry);
  }
  return [...result.values()];
};
