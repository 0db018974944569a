import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  aptEnvironment,
  dpkgOptions,
  keepConfiguration,
} from '../../../../src/host/apt/apt-host.ts';
import { bedCommands } from '../../../bed/command.ts';
import type { Commands } from '../../../bed/command.ts';
import { buildDeb } from '../../../bed/deb.ts';

/** The options with which apt-get is told to run dpkg. */
const options = dpkgOptions.flatMap((one) => /^DPkg::Options::=(.*)$/.exec(one)?.[1] ?? []);

let directory: string;
let root: string;
let commands: Commands;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-conffiles-'));
  root = join(directory, 'root');
  for (const name of ['info', 'updates', 'triggers', 'parts'])
    await mkdir(join(root, 'var/lib/dpkg', name), { recursive: true });
  await writeFile(join(root, 'var/lib/dpkg/status'), '');
  await writeFile(join(root, 'var/lib/dpkg/available'), '');
  commands = bedCommands(directory);
});
afterEach(() => rm(directory, { recursive: true }));

/** A package with one configuration file. */
const build = async (version: string, content: string): Promise<string> => {
  const tree = join(directory, version);
  await mkdir(join(tree, 'etc'), { recursive: true });
  await writeFile(join(tree, 'etc/foo.conf'), content);
  const control = { conffiles: '/etc/foo.conf\n' };
  const deb = { name: 'foo', version, architecture: 'all', control };
  return buildDeb(commands, deb, tree, directory);
};

/** dpkg as an upgrade runs it: nobody is there to answer. It would end with an error where it asked. */
const install = (deb: string) =>
  commands.run(['dpkg', `--root=${root}`, '--force-not-root', ...options, '-i', deb], {
    environment: aptEnvironment({
      ...{ root, transactionsDirectory: '', launcherPath: '', cgroupDirectories: [] },
      ...{ lockTimeoutMs: 0, environment: {} },
    }),
    timeoutMs: 60_000,
  });

describe('configuration files in an upgrade: nobody is asked', () => {
  test('what a hand has changed is kept, and the package’s new one laid beside it', async () => {
    expect(await install(await build('1.0', 'first\n'))).toMatchObject({ exitCode: 0 });
    await writeFile(join(root, 'etc/foo.conf'), 'by hand\n');
    const { exitCode, stdout, stderr } = await install(await build('2.0', 'second\n'));
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(stdout).not.toContain('What would you like to do about it');
    expect(await readFile(join(root, 'etc/foo.conf'), 'utf8')).toBe('by hand\n');
    expect(await readFile(join(root, 'etc/foo.conf.dpkg-dist'), 'utf8')).toBe('second\n');
  });

  test('what nobody has changed is replaced', async () => {
    await install(await build('1.0', 'first\n'));
    expect(await install(await build('2.0', 'second\n'))).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(root, 'etc'))).toEqual(['foo.conf']);
    expect(await readFile(join(root, 'etc/foo.conf'), 'utf8')).toBe('second\n');
  });

  test('what a hand has taken away stays away', async () => {
    await install(await build('1.0', 'first\n'));
    await rm(join(root, 'etc/foo.conf'));
    expect(await install(await build('2.0', 'second\n'))).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(root, 'etc'))).not.toContain('foo.conf');
  });

  test('what a hand has put there before the package came is kept', async () => {
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/foo.conf'), 'by hand\n');
    expect(await install(await build('1.0', 'first\n'))).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(root, 'etc/foo.conf'), 'utf8')).toBe('by hand\n');
  });

  test('without these options dpkg does ask, and fails where nobody answers', async () => {
    await install(await build('1.0', 'first\n'));
    await writeFile(join(root, 'etc/foo.conf'), 'by hand\n');
    const deb = await build('2.0', 'second\n');
    const asked = await commands.run(['dpkg', `--root=${root}`, '--force-not-root', '-i', deb]);
    expect(asked.exitCode).not.toBe(0);
    expect(asked.stderr).toContain('conffile prompt');
  });

  test('debconf, ucf and apt-listchanges are told the same', () => {
    expect(keepConfiguration).toEqual(options);
    const host = { root, transactionsDirectory: '', launcherPath: '', cgroupDirectories: [] };
    expect(aptEnvironment({ ...host, lockTimeoutMs: 0, environment: {} })).toMatchObject({
      ...{ DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1' },
      APT_LISTCHANGES_FRONTEND: 'none',
    });
  });
});
