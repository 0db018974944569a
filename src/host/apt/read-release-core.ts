import { existsSync } from 'node:fs';
import { deriveDebCore } from '../../core/platforms/derive-deb-core.ts';
import type { ReleaseCore } from '../packages/package-manager.ts';
import { readOsRelease } from '../packages/package-system.ts';
import { runQuery } from '../packages/run-query.ts';
import { aptEnvironment } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { parsePackagesIndex } from './parse-packages-index.ts';

/** Which release, by os-release's `ID` and `VERSION_CODENAME`. */
export interface DebRelease {
  id: string;
  codename: string;
}

/** An index that apt has fetched. */
export interface IndexTarget {
  path: string;
  /** `Debian 12.15 (bookworm) main amd64`. */
  from: string;
}

/** Where its packages of the base system stand, in Debian and Ubuntu alike. */
const COMPONENT = 'main';

/** Pockets beside a release: what they bring is newer versions, without the rest. */
const isPocket = (suite: string): boolean =>
  /-(?:security|updates|backports|proposed)\b/.test(suite);

const fieldsOf = (stanza: string): Map<string, string> =>
  new Map(
    [...stanza.matchAll(/^([A-Za-z-]+): (.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

/**
 * Of what apt-get(8) `indextargets` lists: the indexes of the release itself, by what its signed Release file says of itself and so
 * from whatever mirror. Throws, with what there is, where it has none.
 */
export const chooseReleaseIndexes = (
  output: string,
  { id, codename }: DebRelease,
): IndexTarget[] => {
  const all = output
    .split(/\n\n+/)
    .map(fieldsOf)
    .filter((target) => target.get('Created-By') === 'Packages');
  const chosen = all.filter(
    (target) =>
      target.get('Origin')?.toLowerCase() === id &&
      target.get('Codename') === codename &&
      target.get('Component') === COMPONENT &&
      !isPocket(target.get('Suite') ?? ''),
  );
  const titleOf = (target: Map<string, string>): string =>
    [
      `${target.get('Origin') ?? 'unknown'} ${target.get('Version') ?? target.get('Suite') ?? ''}`.trim(),
      `(${target.get('Codename') ?? target.get('Release') ?? ''})`,
      ...[target.get('Component') ?? '', target.get('Architecture') ?? ''],
    ].join(' ');
  const titles = [...new Set(all.map(titleOf))];
  if (chosen.length === 0)
    throw new Error(
      `apt has no index of ${id} ${codename}, component ${COMPONENT}: ${
        titles.length === 0 ? 'it has none at all' : `it has ${titles.join('; ')}`
      } (name the release in its sources, then: apt-get update)`,
    );
  return chosen.map((target) => ({ path: target.get('Filename') ?? '', from: titleOf(target) }));
};

const TIMEOUT_MS = 120_000;

const ask = async (host: AptHost, argv: readonly string[]): Promise<string> => {
  const environment = aptEnvironment(host);
  const { exitCode, all, stdout } = await runQuery(argv, { timeoutMs: TIMEOUT_MS, environment });
  if (exitCode !== 0) throw new Error(`${argv.slice(0, 2).join(' ')}: ${all.trim()}`);
  return stdout;
};

/**
 * The core of the host's release, by the release's own index in the host's own architecture, as apt has fetched it. Takes no lock.
 * Throws where apt has no such index.
 */
export const readReleaseCore = async (host: AptHost): Promise<ReleaseCore> => {
  const { ID: id, VERSION_CODENAME: codename } = readOsRelease(host.root);
  if (id === undefined || codename === undefined)
    throw new Error('os-release names no release (ID and VERSION_CODENAME): which index to take?');
  const root = host.root === '/' ? [] : ['-o', `Dir=${host.root}`];
  const architecture = (await ask(host, ['dpkg', '--print-architecture'])).trim();
  const targets = chooseReleaseIndexes(
    await ask(host, ['apt-get', 'indextargets', ...root, `Architecture: ${architecture}`]),
    { id, codename },
  );
  // The same release from two mirrors is one.
  const target = targets.find(({ path }) => existsSync(path));
  if (target === undefined)
    throw new Error(`apt has not fetched the index of ${id} ${codename} yet: apt-get update`);
  const text = await ask(host, ['/usr/lib/apt/apt-helper', 'cat-file', target.path]);
  return { packages: deriveDebCore(parsePackagesIndex(text)), from: [target.from] };
};
