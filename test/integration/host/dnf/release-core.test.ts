import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readReleaseCore } from '../../../../src/host/dnf/read-release-core.ts';
import type { ReleaseCore } from '../../../../src/host/packages/package-manager.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gs-core-'));
  mkdirSync(join(directory, 'etc'));
  writeFileSync(
    join(directory, 'etc/os-release'),
    'ID=almalinux\nVERSION_ID=9.4\nPRETTY_NAME="AlmaLinux 9.4"\n',
  );
  put('rpm', "echo 'system-release = 9.4-1.el9'; echo 'system-release(releasever) = 9'");
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const put = (name: string, script: string): void => {
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
};

const recordedAt = (name: string): string => resolve('test/fixtures/dnf', name);
const aborted = "echo 'Operation aborted.' >&2; exit 1";

type Answers = Partial<Record<'repolist' | 'group' | 'install', string>>;

/** The core, as it is read from a dnf that answers what a real one did, or something else. */
const read = (generation: 4 | 5, other: Answers): Promise<ReleaseCore> => {
  const said = (name: string): string => `cat ${recordedAt(`dnf${generation}-${name}.txt`)}`;
  put(
    'dnf',
    `echo "$*" >> ${directory}/asked
case "$*" in
  *repolist*) ${other.repolist ?? said('repolist')} ;;
  *'group info core') ${other.group ?? said('group-info-core')} ;;
  *--installroot=*) ${other.install ?? `${said('install-core')}; ${aborted}`} ;;
esac`,
  );
  return readReleaseCore({
    ...{ program: join(directory, 'dnf'), generation },
    environment: { PATH: `${directory}:/usr/bin:/bin` },
    ...{ rpm: { root: directory, dbPath: '/var/lib/rpm' }, lockTimeoutMs: 1000 },
    ...{ transactionsDirectory: directory, launcherPath: '', cgroupDirectories: [] },
  });
};

/** The options and words of dnf's last call, without the name of the empty system, which is gone. */
const lastCall = (): string[] => {
  const words = readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n').at(-1) ?? '';
  const root = /--installroot=(\S+) /.exec(words)?.[1] ?? '';
  expect(root).toMatch(/groundswell-core-/);
  expect(existsSync(root)).toBe(false);
  return words.split(' ').slice(1);
};

describe.each([4, 5] as const)('dnf %i', (generation) => {
  test('what its group would install in an empty system, from the distribution alone', async () => {
    expect(await read(generation, {})).toEqual({
      packages: [
        { name: 'gs-bus', why: 'dependency' },
        { name: 'gs-init', why: 'mandatory', of: 'core' },
        { name: 'gs-libc', why: 'dependency' },
        { name: 'gs-network', why: 'default', of: 'core' },
        { name: 'gs-shell', why: 'mandatory', of: 'core' },
      ],
      from: ['AlmaLinux 9.4: group core of baseos'],
    });
    expect(lastCall()).toEqual([
      ...(generation === 5 ? ['--use-host-config'] : []),
      ...['--releasever=9', '--repo=baseos', '--setopt=install_weak_deps=False'],
      ...['--assumeno', 'install', '@core'],
    ]);
  });
});

test('where rpm does not tell the version of the release, it is the major one of os-release', async () => {
  put('rpm', "echo 'no package provides system-release'; exit 1");
  writeFileSync(join(directory, 'etc/os-release'), 'ID=almalinux\nVERSION_ID=8.10\n');
  expect((await read(4, {})).from).toEqual(['almalinux: group core of baseos']);
  expect(lastCall()).toContain('--releasever=8');
});

test.each<[string, Answers, string]>([
  [
    'no repository of the distribution',
    { repolist: "printf 'repo id  repo name\\nepel EPEL\\ndocker-ce-stable Docker\\n'" },
    "none of the enabled repositories is the distribution's: epel, docker-ce-stable",
  ],
  [
    'no repository at all',
    { repolist: "echo 'No repositories available'" },
    "none of the enabled repositories is the distribution's: there is none",
  ],
  [
    'no such group',
    { group: 'true' },
    'the repositories baseos have no group of packages named core',
  ],
])('%s is said', async (_, other, message) => {
  await expect(read(4, other)).rejects.toThrow(message);
});

test('what dnf cannot do is no core, and leaves nothing behind', async () => {
  const install = 'echo "Error: Failed to download metadata for repo \'baseos\'" >&2; exit 1';
  await expect(read(4, { install })).rejects.toThrow('Failed to download metadata');
  expect(lastCall()).toContain('install');
});
