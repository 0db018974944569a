import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readReleaseCore } from '../../../../src/host/apt/read-release-core.ts';

let root: string;
let arch: string;

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};

const release = (suite: string, codename: string, origin = 'Debian'): string =>
  `Origin: ${origin}\nLabel: ${origin}\nSuite: ${suite}\nVersion: 12.15\nCodename: ${codename}\nDate: Sat, 10 May 2025 09:00:00 UTC\nArchitectures: all ${arch}\nComponents: main\n`;

const stanza = (name: string, more: string): string =>
  `Package: ${name}\nVersion: 1\nArchitecture: ${arch}\n${more}\n\n`;

/** An archive as apt keeps it once it was fetched. */
const putLists = async (host: string, suite: string, text: string, packages: string) => {
  await put(`var/lib/apt/lists/${host}_dists_${suite}_Release`, text);
  await put(`var/lib/apt/lists/${host}_dists_${suite}_main_binary-${arch}_Packages`, packages);
};

const core = () =>
  readReleaseCore({
    root,
    ...{ transactionsDirectory: '', launcherPath: '', cgroupDirectories: [] },
    ...{ lockTimeoutMs: 0, environment: {} },
  });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-core-'));
  arch = (await execa('dpkg', ['--print-architecture'])).stdout.trim();
  await put('etc/os-release', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  await put(
    'etc/apt/sources.list',
    [
      'deb [trusted=yes] http://acme.example/debian bookworm main',
      'deb [trusted=yes] http://mirror.example/debian bookworm-updates main',
      'deb [trusted=yes] http://mirror.example/debian bookworm main',
      '',
    ].join('\n'),
  );
  await mkdir(join(root, 'etc/apt/apt.conf.d'), { recursive: true });
  // Somebody else's, and what only the updates have: neither is of the release.
  const other = stanza('acme-agent', 'Priority: required\nEssential: yes');
  await putLists('acme.example_debian', 'bookworm', release('stable', 'bookworm', 'Acme'), other);
  await putLists(
    'mirror.example_debian',
    'bookworm-updates',
    release('stable-updates', 'bookworm-updates'),
    stanza('tzdata-legacy', 'Priority: important'),
  );
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a release’s core, whatever else the host has', async () => {
  await putLists(
    'mirror.example_debian',
    'bookworm',
    release('oldstable', 'bookworm'),
    [
      stanza('dpkg', 'Priority: required\nEssential: yes\nPre-Depends: libc6 (>= 2.34)'),
      stanza('libc6', 'Priority: optional'),
      stanza('nano', 'Priority: important'),
      stanza('nginx', 'Priority: optional\nDepends: libc6'),
    ].join(''),
  );
  await put(
    'var/lib/dpkg/status',
    stanza('nginx', 'Status: install ok installed\nPriority: required'),
  );
  expect(await core()).toEqual({
    packages: [
      { name: 'dpkg', why: 'essential' },
      { name: 'libc6', why: 'dependency', of: 'dpkg' },
      { name: 'nano', why: 'important' },
    ],
    from: [`Debian 12.15 (bookworm) main ${arch}`],
  });
});

test('without the release’s index it says what to do', async () => {
  await expect(core()).rejects.toThrow(
    /^apt has no index of debian bookworm, component main: it has Acme 12\.15.*apt-get update/,
  );
});

test('without a release there is no index to take', async () => {
  await put('etc/os-release', 'ID=debian\n');
  await expect(core()).rejects.toThrow('VERSION_CODENAME');
});
