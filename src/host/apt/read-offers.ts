import type { InstalledPackage } from '../../core/packages.ts';
import { aptEnvironment } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { nameFailure } from './name-failure.ts';
import { parsePolicy, parseSecuritySources } from './parse-policy.ts';
import type { OfferedVersion } from './parse-policy.ts';
import { runQuery } from '../packages/run-query.ts';

export interface Offer extends OfferedVersion {
  source: string;
  sourceVersion: string;
}

/** What the repositories offer for one installed package. */
export interface PackageOffers {
  name: string;
  arch: string;
  /** What apt would install by itself, by priorities and holds aside; null: nothing. */
  candidate: string | null;
  offers: Offer[];
}

/** How apt's tools are asked for a package. */
export const operandOf = ({ name, arch }: Pick<InstalledPackage, 'name' | 'arch'>): string =>
  arch === 'all' ? name : `${name}:${arch}`;

const QUERY_TIMEOUT_MS = 300_000;
/** Keeps the command line well below the kernel's limit. */
export const NAMES_PER_CALL = 500;

/** What apt-cache(8) prints for these operands. Takes no lock; throws when it cannot answer. */
export const queryCache = async (host: AptHost, args: readonly string[]): Promise<string> => {
  const { exitCode, all, stdout } = await runQuery(['apt-cache', '-q', ...args], {
    timeoutMs: QUERY_TIMEOUT_MS,
    environment: aptEnvironment(host),
  });
  // 100 only says that one of the names has no record.
  if (exitCode !== 0 && exitCode !== 100)
    throw new Error(`apt-cache ${args[0] ?? ''}: ${nameFailure(all, exitCode).message}`);
  return stdout;
};

/** `name:arch=version` → source and its version, from `apt-cache show`. */
export const parseSources = (
  output: string,
): Map<string, Pick<Offer, 'source' | 'sourceVersion'>> => {
  const sources = new Map<string, Pick<Offer, 'source' | 'sourceVersion'>>();
  for (const stanza of output.split(/\n\n+/)) {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1]?.trim();
    const name = field('Package');
    const version = field('Version');
    if (name === undefined || version === undefined) continue;
    const [, source, sourceVersion] = /^(\S+)(?: \((.*)\))?$/.exec(field('Source') ?? '') ?? [];
    const entry = { source: source ?? name, sourceVersion: sourceVersion ?? version };
    sources.set(`${name}:${field('Architecture') ?? ''}=${version}`, entry);
    // For a package that moves between `all` and an architecture.
    sources.set(`${name}=${version}`, entry);
  }
  return sources;
};

/**
 * Asks apt what it knows of the given installed packages: every version, the repositories that have
 * it, whether one of them is for security updates. Takes no lock. Throws when apt cannot answer.
 */
export const readOffers = async (
  host: AptHost,
  packages: readonly InstalledPackage[],
): Promise<PackageOffers[]> => {
  const security = parseSecuritySources(await queryCache(host, ['policy']));
  const answers: PackageOffers[] = [];
  for (let at = 0; at < packages.length; at += NAMES_PER_CALL) {
    const some = packages.slice(at, at + NAMES_PER_CALL);
    const names = some.map(operandOf);
    const policies = parsePolicy(await queryCache(host, ['policy', ...names]), security);
    const sources = parseSources(await queryCache(host, ['show', ...names]));
    for (const { name, arch } of some) {
      const policy =
        policies.find((one) => one.name === `${name}:${arch}`) ??
        policies.find((one) => one.name === name);
      const offers = (policy?.versions ?? []).map((offer) => {
        const known =
          sources.get(`${name}:${arch}=${offer.version}`) ??
          sources.get(`${name}=${offer.version}`);
        return {
          ...offer,
          source: known?.source ?? name,
          sourceVersion: known?.sourceVersion ?? offer.version,
        };
      });
      answers.push({ name, arch, candidate: policy?.candidate ?? null, offers });
    }
  }
  return answers;
};
