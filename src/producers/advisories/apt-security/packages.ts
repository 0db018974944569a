import type { Advisory, AffectedRow, FeedProblem } from '../../../core/advisories/advisory.ts';
import {
  compareDebVersions,
  parseDebVersion,
} from '../../../core/versions/compare-deb-versions.ts';
import type { Stanza } from './stanzas.ts';
import type { Suite } from './suite.ts';

export const packageFields: ReadonlySet<string> = new Set([
  ...['package', 'version', 'architecture', 'source'],
]);

const packageName = /^[a-z0-9][a-z0-9+.-]+$/;

/** A binary package of a suite, in the newest version that is there. */
interface Offered {
  name: string;
  arch: string;
  version: string;
  source: string;
  sourceVersion: string;
}

/** `Source: linux-signed-amd64 (6.1.176+1)`; its own name and version where that says nothing else. */
const sourceOf = (stanza: Stanza, name: string, version: string): [string, string] => {
  const [, source = name, sourceVersion = version] =
    /^(\S+)(?:\s+\(([^()\s]+)\))?$/.exec(stanza.get('source') ?? '') ?? [];
  return [source, sourceVersion];
};

const readPackage = (stanza: Stanza): Offered | Omit<FeedProblem, 'file' | 'record'> => {
  const [name = '', version = '', arch = ''] = ['package', 'version', 'architecture'].map(
    (field) => stanza.get(field) ?? '',
  );
  if (!packageName.test(name)) return { field: 'Package', reason: 'this is no name of a package' };
  const parsed = parseDebVersion(version);
  if (!parsed.ok) return { field: 'Version', reason: parsed.error };
  if (!/^[a-z0-9][a-z0-9-]*$/.test(arch))
    return { field: 'Architecture', reason: 'this is no architecture' };
  const [source, sourceVersion] = sourceOf(stanza, name, version);
  if (!packageName.test(source) || !parseDebVersion(sourceVersion).ok)
    return { field: 'Source', reason: 'this is no source package' };
  return { name, arch, version, source, sourceVersion };
};

/** Several times what the largest security suite has, with all its architectures. */
const MOST_PACKAGES = 1_000_000;

/** The binary packages of a suite, whatever index they stand in. */
export interface OfferedPackages {
  /** Null: it was taken; else what is wrong with it. Throws beyond what memory is for. */
  add: (stanza: Stanza) => Omit<FeedProblem, 'file' | 'record'> | null;
  advisories: () => Generator<Advisory>;
}

const rowOf = (
  { distro, release, channel }: Suite,
  { name, arch, version }: Offered,
): AffectedRow => ({
  ...({ distro, release, channel, names: 'binary', name, module: null } as const),
  arch: arch === 'all' ? null : arch,
  ...({ status: 'fixed', fixed: version, note: null, scheme: 'deb' } as const),
});

export const offeredPackages = (suite: Suite): OfferedPackages => {
  const newest = new Map<string, Offered>();
  return {
    add: (stanza) => {
      const read = readPackage(stanza);
      if ('reason' in read) return read;
      const key = `${read.name} ${read.arch}`;
      const known = newest.get(key);
      if (known === undefined || compareDebVersions(read.version, known.version) > 0)
        newest.set(key, read);
      if (newest.size > MOST_PACKAGES)
        throw new Error(`the suite has more than ${MOST_PACKAGES} packages`);
      return null;
    },
    advisories: function* () {
      const bySource = new Map<string, Offered[]>();
      for (const one of newest.values()) {
        const key = `${one.source} ${one.sourceVersion}`;
        const known = bySource.get(key);
        if (known === undefined) bySource.set(key, [one]);
        else known.push(one);
      }
      for (const [title, packages] of bySource)
        yield {
          ...({ feed: 'apt-security', kind: 'security', title } as const),
          id: `${suite.name}/${title.replace(' ', '_')}`,
          ...{ cves: [], published: null, modified: null, withdrawn: false },
          ...({ severity: 'unknown', vendorSeverity: null } as const),
          affected: packages.map((one) => rowOf(suite, one)),
        };
    },
  };
};
