import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mostSuites, plainAddress, SecuritySuite } from '../../core/advisories/security-suite.ts';
import { runQuery } from '../packages/run-query.ts';
import { aptEnvironment } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { nameFailure } from './name-failure.ts';

/** A list of packages that the sources lead to, as apt-get(8) `indextargets` tells of it. */
interface Target {
  address: string;
  suite: string;
  component: string;
  architecture: string;
}

const QUERY_TIMEOUT_MS = 60_000;

/** Whose suites of security updates there are, where their index has been fetched and says it. */
const ORIGINS = ['Debian', 'Ubuntu', 'UbuntuESM', 'UbuntuESMApps'];

/** Those of suites of security updates among what `apt-get indextargets 'Created-By: Packages'` prints. */
export const parseSecurityTargets = (output: string): Target[] =>
  output.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string): string =>
      new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? '';
    // What the index calls itself, and where it has not been fetched yet, what the sources call it.
    const names = [field('Release'), field('Suite'), field('Codename')];
    if (!names.some((name) => /(?:-security|\/updates)$/.test(name))) return [];
    if (field('Origin') !== '' && !ORIGINS.includes(field('Origin'))) return [];
    return [
      {
        ...{ address: field('Repo-URI'), suite: field('Release') },
        ...{ component: field('Component'), architecture: field('Architecture') },
      },
    ];
  });

/** Debian's images for clouds name a file with the addresses of mirrors (apt-transport-mirror(1)). */
const addressOf = async (root: string, address: string): Promise<string | null> => {
  const file = /^mirror\+file:(?:\/\/)?(\/.*?)\/*$/.exec(address)?.[1];
  if (file === undefined) return plainAddress(address);
  const text = await readFile(join(root, file), 'utf8').catch(() => '');
  return (
    text
      .split('\n')
      .map((line) => plainAddress(line.split(/\s/)[0] ?? ''))
      .find((one) => one !== null) ?? null
  );
};

/** Each suite once, with all its components and architectures. What does not fit into a report is left out. */
export const suitesOf = async (
  targets: readonly Target[],
  root: string,
): Promise<SecuritySuite[]> => {
  const found = new Map<string, SecuritySuite>();
  for (const { address, suite, component, architecture } of targets) {
    const url = await addressOf(root, address);
    if (url === null) continue;
    const key = `${url} ${suite}`;
    const { components = [], architectures = [] } = found.get(key) ?? {};
    found.set(key, {
      ...{ url, suite },
      components: [...new Set([...components, component])].sort(),
      architectures: [...new Set([...architectures, architecture])].sort(),
    });
  }
  return [...found.values()]
    .filter((one) => SecuritySuite.safeParse(one).success)
    .slice(0, mostSuites);
};

/**
 * The suites of security updates that the host's own sources name, in whatever form they are written: apt tells. Never with
 * what is secret (names and passwords in addresses, auth.conf). Takes no lock; throws when apt cannot answer.
 */
export const readSecuritySuites = async (host: AptHost): Promise<SecuritySuite[]> => {
  const { exitCode, all, stdout } = await runQuery(
    ['apt-get', 'indextargets', 'Created-By: Packages'],
    { timeoutMs: QUERY_TIMEOUT_MS, environment: aptEnvironment(host) },
  );
  if (exitCode !== 0)
    throw new Error(`apt-get indextargets: ${nameFailure(all, exitCode).message}`);
  return suitesOf(parseSecurityTargets(stdout), host.root);
};
