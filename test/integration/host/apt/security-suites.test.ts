import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readSecuritySuites } from '../../../../src/host/apt/read-security-suites.ts';
import type { SecuritySuite } from '../../../../src/core/advisories/security-suite.ts';

let root: string;
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-suites-'));
  await put(
    'apt.conf',
    `Dir "${root}"; APT::Architecture "amd64"; APT::Architectures {"amd64"};\n`,
  );
  await put('etc/apt/apt.conf.d/none', '');
  await put('var/lib/apt/lists/partial/.none', '');
  await put('var/cache/apt/archives/partial/.none', '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** As apt keeps what it has fetched. */
const fetched = async (
  place: string,
  fields: Record<string, string>,
  lists = ['main_binary-amd64'],
): Promise<void> => {
  const text = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  await put(`var/lib/apt/lists/${place}_InRelease`, text.join(''));
  for (const list of lists) await put(`var/lib/apt/lists/${place}_${list}_Packages`, '');
};
const debian = { Origin: 'Debian', Label: 'Debian-Security', Suite: 'oldstable-security' };

const suites = async (): Promise<SecuritySuite[]> =>
  readSecuritySuites({
    ...{ root, transactionsDirectory: root, launcherPath: '', cgroupDirectories: [] },
    ...{ lockTimeoutMs: 1_000, environment: { APT_CONFIG: join(root, 'apt.conf') } },
  });

test('are named in both forms of sources, each once, without what is secret', async () => {
  await put(
    'etc/apt/sources.list',
    [
      'deb [signed-by=/x.gpg arch=amd64,i386] http://joe:secret@mirror.example.org/debian-security/ bookworm-security main contrib',
      '# deb http://off.example.org/debian-security bookworm-security main',
      'deb http://deb.debian.org/debian bookworm main',
      '',
    ].join('\n'),
  );
  await put('etc/apt/auth.conf.d/mirror.conf', 'machine mirror.example.org login joe password s\n');
  await put(
    'etc/apt/sources.list.d/more.sources',
    [
      'Types: deb deb-src\nURIs: https://deb.debian.org/debian-security\nSuites: stable-security bookworm-security\nComponents: main\n',
      'Types: deb\nEnabled: no\nURIs: https://disabled.example.org/debian-security\nSuites: bookworm-security\nComponents: main\n',
      'Types: deb\nURIs: mirror+file:///etc/apt/mirrors/list\nSuites: trixie-security\nComponents: main\n',
      'Types: deb\nURIs: file:/srv/repo\nSuites: bookworm-security\nComponents: main\n',
      'Types: deb\nURIs: http://others.example.org/x\nSuites: own-security\nComponents: main\n',
      'Types: deb\nURIs: http://new.example.org/never-fetched\nSuites: bookworm-security\nComponents: main\n',
    ].join('\n'),
  );
  await put(
    'etc/apt/mirrors/list',
    '# mirrors\nhttps://cloud.example.org/debian-security\tpriority:1\n',
  );
  const named = { ...debian, Codename: 'bookworm-security' };
  await fetched('mirror.example.org_debian-security_dists_bookworm-security', named, [
    ...['main_binary-amd64', 'main_binary-i386', 'contrib_binary-amd64'],
  ]);
  await fetched('deb.debian.org_debian_dists_bookworm', { Origin: 'Debian', Suite: 'oldstable' });
  await fetched('deb.debian.org_debian-security_dists_stable-security', named);
  await fetched('deb.debian.org_debian-security_dists_bookworm-security', named);
  await fetched('_etc_apt_mirrors_list_dists_trixie-security', named);
  await fetched('_srv_repo_dists_bookworm-security', named);
  await fetched('others.example.org_x_dists_own-security', { Origin: 'Others' });
  const one = { components: ['main'], architectures: ['amd64'] };
  const found = await suites();
  expect(JSON.stringify(found)).not.toMatch(/secret|joe/);
  expect(found).toEqual([
    {
      ...{ url: 'http://mirror.example.org/debian-security', suite: 'bookworm-security' },
      ...{ components: ['contrib', 'main'], architectures: ['amd64', 'i386'] },
    },
    { url: 'https://deb.debian.org/debian-security', suite: 'stable-security', ...one },
    { url: 'https://deb.debian.org/debian-security', suite: 'bookworm-security', ...one },
    { url: 'https://cloud.example.org/debian-security', suite: 'trixie-security', ...one },
  ]);
});

test('are none where the sources name none', async () => {
  await put('etc/apt/sources.list', 'deb http://deb.debian.org/debian bookworm main\n');
  expect(await suites()).toEqual([]);
});
