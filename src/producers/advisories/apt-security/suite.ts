import { releaseOf } from '../../../core/advisories/release-of.ts';
import type { Stanza } from './stanzas.ts';

/** A suite of an archive, as its `InRelease` tells. */
export interface Suite {
  distro: 'debian' | 'ubuntu';
  release: string;
  channel: string | null;
  /** What people call it: `bookworm-security`. */
  name: string;
  /** What it may be called in sources. */
  names: readonly string[];
  /** When it was made; null: it does not say. */
  date: Date | null;
  /** Null: it does not say. */
  validUntil: Date | null;
  /** Its files lie under their checksums too. */
  hasByHash: boolean;
  /** Of each file, by its path below the suite. */
  files: ReadonlyMap<string, { sha256: string; size: number }>;
}

export const suiteFields: ReadonlySet<string> = new Set([
  ...['origin', 'label', 'suite', 'codename', 'version', 'date', 'valid-until'],
  ...['acquire-by-hash', 'sha256'],
]);

/** Who publishes security updates, by the `Origin` of their suites. */
const origins: ReadonlyMap<string, Pick<Suite, 'distro' | 'channel'>> = new Map([
  ['Debian', { distro: 'debian', channel: null }],
  ['Ubuntu', { distro: 'ubuntu', channel: null }],
  ['UbuntuESM', { distro: 'ubuntu', channel: 'esm-infra' }],
  ['UbuntuESMApps', { distro: 'ubuntu', channel: 'esm-apps' }],
]);

const filesOf = (sums: string): Suite['files'] => {
  const files = new Map<string, { sha256: string; size: number }>();
  for (const line of sums.split('\n')) {
    const [, sha256 = '', size = '', path = ''] =
      /^([0-9a-f]{64})\s+(\d+)\s+(\S+)$/i.exec(line) ?? [];
    if (path !== '') files.set(path, { sha256: sha256.toLowerCase(), size: Number(size) });
  }
  return files;
};

const timeOf = (text: string): Date | null => {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time);
};

/** A suite of security updates; a text where it is another one, or one that is not known. */
export const suiteOf = (stanza: Stanza): Suite | string => {
  const field = (name: string): string => stanza.get(name) ?? '';
  const origin = origins.get(field('origin'));
  if (origin === undefined) return `its Origin is ${JSON.stringify(field('origin').slice(0, 80))}`;
  const [suite, codename] = [field('suite'), field('codename')];
  // `bookworm-security`; until Debian 10 `buster/updates`.
  if (![suite, codename].some((name) => /(-security|\/updates)$/.test(name)))
    return `its Suite is ${JSON.stringify(suite.slice(0, 80))}`;
  const release =
    releaseOf(origin.distro, codename.split(/[-/]/)[0] ?? '') ??
    releaseOf(origin.distro, field('version'));
  if (release === null) return `there is no release ${codename.slice(0, 80)}`;
  return {
    ...origin,
    ...{ release, name: codename.includes('security') ? codename : suite },
    names: [suite, codename, `${suite}/updates`, `${codename}/updates`],
    date: timeOf(field('date')),
    validUntil: timeOf(field('valid-until')),
    hasByHash: field('acquire-by-hash').toLowerCase() === 'yes',
    files: filesOf(field('sha256')),
  };
};
