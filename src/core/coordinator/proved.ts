import type { PackageChange } from '../packages.ts';
import type { HostUpgrade } from '../messages.ts';
import type { AdvisoriesCause, Host, WantedUpgrade, Wave, WaveUpgrade } from './fleet.ts';
import { packageKey } from './tried.ts';

/** More than an upgrade brings along; a host that tells of any number must not make the orders of others too large to be sent. */
const mostAlong = 200;
const isPlain = (word: string): boolean => /^\w[\w.+~^:-]{0,127}$/.test(word);

/**
 * A host of the wave has got what it was ordered, and nothing else is proved by that: what its package manager brought along
 * are the versions that the others get too, where they get these packages.
 */
export const noteProved = (
  { cause }: Wave,
  { packages }: WaveUpgrade,
  changes: readonly PackageChange[],
): void => {
  if (cause.kind !== 'advisories') return;
  for (const entry of packages)
    if (entry.version !== null) cause.proved[packageKey(entry)] = entry.version;
  const along = { ...cause.along };
  for (const { name, arch, to } of changes) {
    const key = packageKey({ name, arch });
    if (to === null || cause.proved[key] !== undefined || along[key] !== undefined) continue;
    if (Object.keys(along).length < mostAlong && [name, arch, to].every(isPlain)) along[key] = to;
  }
  if (Object.keys(along).length > 0) cause.along = along;
};

/** As `versionKey` has it. */
const alongKeys = ({ along = {} }: AdvisoriesCause): string[] =>
  Object.entries(along).map(([key, version]) => `${key}=${version}`);

/** What came along with what the wave has given its hosts, as the next one is ordered it: nothing that it is ordered itself. */
export const alongFor = (
  { cause }: Wave,
  ordered: readonly Pick<WantedUpgrade, 'name'>[],
): Pick<HostUpgrade, 'proved'> => {
  if (cause.kind !== 'advisories') return {};
  const named = new Set(ordered.map(({ name }) => name));
  const proved = Object.entries(cause.along ?? {})
    .filter(([key]) => !named.has(key))
    .map(([key, version]) => {
      const colon = key.lastIndexOf(':');
      return { name: key.slice(0, colon), arch: key.slice(colon + 1), version };
    });
  return proved.length === 0 ? {} : { proved };
};

/** Of these, one that the repositories of a host did not have, for as long as they are not asked for it again. */
export const alongRefused = (
  { cause }: { cause: AdvisoriesCause },
  { refused }: Host,
  now: number,
): string | null => {
  if (refused.length === 0) return null;
  const keys = new Set(alongKeys(cause));
  return refused.find(({ version, until }) => now < until && keys.has(version))?.version ?? null;
};

/** All that a host has got by an upgrade of the wave, as `versionKey` has it. */
export const gotBy = ({ cause }: Wave, { packages }: WaveUpgrade): Set<string> =>
  new Set([
    ...packages.map((one) => `${packageKey(one)}=${one.version ?? ''}`),
    ...(cause.kind === 'advisories' ? alongKeys(cause) : []),
  ]);
