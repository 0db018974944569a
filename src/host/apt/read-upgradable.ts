import type { InstalledPackage } from '../../core/packages.ts';
import { compareDebVersions } from '../../core/versions/compare-deb-versions.ts';
import type { AptHost } from './apt-host.ts';
import { parseFileOrigins, parseOrigins } from './parse-origins.ts';
import { parseChannels, parsePolicy } from './parse-policy.ts';
import { NAMES_PER_CALL, operandOf, parseSources, queryCache } from './read-offers.ts';

export interface Upgradable {
  /** For each installed package whose candidate is newer: that one. */
  offers: InstalledPackage[];
  /** What this host is attached to beside its distribution's own repositories: `esm-infra`, `esm-apps`, `fips-updates`. */
  channels: string[];
  /** By `name:arch`, whose an installed package is (apt's `Origin`); null: none of the repositories has it. */
  origins: Map<string, string | null>;
}

/**
 * What apt would upgrade installed packages to, by its priorities and with holds aside, as its indexes are now. Takes no
 * lock. Throws when apt cannot answer.
 */
export const readUpgradable = async (
  host: AptHost,
  packages: readonly InstalledPackage[],
): Promise<Upgradable> => {
  const files = await queryCache(host, ['policy']);
  const channels = parseChannels(files);
  const fileOrigins = parseFileOrigins(files);
  const origins = new Map<string, string | null>();
  const newer: { one: InstalledPackage; version: string }[] = [];
  for (let at = 0; at < packages.length; at += NAMES_PER_CALL) {
    const some = packages.slice(at, at + NAMES_PER_CALL);
    const answer = await queryCache(host, ['policy', ...some.map(operandOf)]);
    const policies = new Map(
      parsePolicy(answer, new Set()).map((policy) => [policy.name, policy.candidate]),
    );
    const ofNames = parseOrigins(answer, fileOrigins);
    for (const one of some) {
      const key = `${one.name}:${one.arch}`;
      const origin = ofNames.get(key) ?? ofNames.get(one.name);
      if (origin !== undefined) origins.set(key, origin);
      const candidate = policies.get(key) ?? policies.get(one.name) ?? null;
      if (candidate !== null && compareDebVersions(candidate, one.version) > 0)
        newer.push({ one, version: candidate });
    }
  }
  const offers: InstalledPackage[] = [];
  for (let at = 0; at < newer.length; at += NAMES_PER_CALL) {
    const some = newer.slice(at, at + NAMES_PER_CALL);
    const operands = some.map(({ one, version }) => `${operandOf(one)}=${version}`);
    const sources = parseSources(await queryCache(host, ['show', ...operands]));
    for (const { one, version } of some) {
      const { name, arch } = one;
      const known = sources.get(`${name}:${arch}=${version}`) ?? sources.get(`${name}=${version}`);
      const { source, sourceVersion } = known ?? { source: name, sourceVersion: version };
      offers.push({ name, arch, version, source, sourceVersion });
    }
  }
  return { offers, channels, origins };
};
