import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { originOf } from '../../core/advisories/distributor.ts';
import type { CorePackage } from '../../core/platforms/manifest.ts';
import type { ReleaseCore } from '../packages/package-manager.ts';
import { readOsRelease } from '../packages/package-system.ts';
import { runQuery } from '../packages/run-query.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { nameFailure } from './name-failure.ts';
import { parseGroup } from './parse-group.ts';
import type { RpmGroup } from './parse-group.ts';
import { parseTransaction, wasOnlyAsked } from './parse-transaction.ts';
import { readRepositoryIds } from './read-offers.ts';
import { askRpm } from './read-rpm-database.ts';

/** The smallest installation there is; what a minimal environment (`minimal-environment`) has to have is this group alone. */
const GROUP = 'core';
const TIMEOUT_MS = 600_000;

/**
 * The distribution's own among the ids of repositories. Where none is known as such, as with a mirror under names of its own, all
 * that are not known as somebody else's.
 */
export const ownRepositories = (ids: readonly string[], distro: string): string[] => {
  const originsOf = (id: string): string =>
    originOf({ name: '', arch: '', version: '', repository: id }, distro);
  const own = ids.filter((id) => originsOf(id) === 'own');
  return own.length > 0 ? own : ids.filter((id) => originsOf(id) === 'unknown');
};

/**
 * What would be installed for a group in an empty system: what the group lists, as far as the repositories have it, and what that
 * needs by the choice of dnf itself.
 */
export const coreOf = (group: RpmGroup, installed: readonly string[]): CorePackage[] =>
  [...new Set(installed)].sort().map((name) => {
    if (group.mandatory.includes(name)) return { name, why: 'mandatory', of: GROUP };
    if (group.default.includes(name)) return { name, why: 'default', of: GROUP };
    return { name, why: 'dependency' };
  });

const ask = async (host: DnfHost, args: readonly string[], mayAbort = false): Promise<string> => {
  const { exitCode, all, stdout } = await runQuery([host.program, ...args], {
    timeoutMs: TIMEOUT_MS,
    environment: dnfEnvironment(host),
  });
  if (exitCode !== 0 && !(mayAbort && wasOnlyAsked(all)))
    throw new Error(`${host.program}: ${nameFailure(all, exitCode).message}`);
  return stdout;
};

/** What stands for `$releasever` in addresses of repositories: in an empty system dnf cannot tell it. */
const releaseVersion = async (host: DnfHost): Promise<string> => {
  const provides = await askRpm(
    host.rpm,
    ['-q', '--provides', '--whatprovides', 'system-release'],
    [0, 1],
    host.environment,
  );
  const said = /^system-release\(releasever\) = (\S+)$/m.exec(provides)?.[1];
  const { VERSION_ID = '' } = readOsRelease(host.rpm.root);
  return said ?? VERSION_ID.replace(/\..*$/, '');
};

/** The core of the host's release: what dnf would install for its group `core` in an empty system, from the distribution's own repositories. */
export const readReleaseCore = async (host: DnfHost): Promise<ReleaseCore> => {
  const { ID = '', PRETTY_NAME = ID } = readOsRelease(host.rpm.root);
  const enabled = await readRepositoryIds(host);
  const own = ownRepositories(enabled, ID);
  if (own.length === 0)
    throw new Error(
      `none of the enabled repositories is the distribution's: ${enabled.join(', ') || 'there is none'}`,
    );
  const from = own.map((id) => `--repo=${id}`);
  const group = parseGroup(await ask(host, ['-q', ...from, 'group', 'info', GROUP]));
  if (group === null)
    throw new Error(`the repositories ${own.join(', ')} have no group of packages named ${GROUP}`);
  const empty = await mkdtemp(join(tmpdir(), 'groundswell-core-'));
  try {
    const output = await ask(
      host,
      [
        `--installroot=${empty}`,
        // dnf 5 looks for repositories in the empty system otherwise.
        ...(host.generation === 5 ? ['--use-host-config'] : []),
        ...[`--releasever=${await releaseVersion(host)}`, ...from],
        ...['--setopt=install_weak_deps=False', '--assumeno', 'install', `@${GROUP}`],
      ],
      true,
    );
    const installed = parseTransaction(output).installs.map(({ name }) => name);
    return {
      packages: coreOf(group, installed),
      from: [`${PRETTY_NAME}: group ${GROUP} of ${own.join(', ')}`],
    };
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
};
