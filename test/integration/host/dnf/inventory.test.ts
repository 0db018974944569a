import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { originOf } from '../../../../src/core/advisories/distributor.ts';
import type { DnfHost } from '../../../../src/host/dnf/dnf-host.ts';
import type { RpmPackage } from '../../../../src/host/dnf/parse-rpm-packages.ts';
import { readDnfInventory } from '../../../../src/host/dnf/read-inventory.ts';

const directory = mkdtempSync(join(tmpdir(), 'gs-dnf-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A host on which dnf answers as a script does. */
const hostWith = (name: string, script: string): DnfHost => {
  const program = join(directory, name);
  writeFileSync(program, `#!/bin/sh\n${script}`);
  chmodSync(program, 0o755);
  return {
    ...{ program, generation: 4, environment: {} },
    ...{ rpm: { root: directory, dbPath: '/var/lib/rpm' }, lockTimeoutMs: 1000 },
    ...{ transactionsDirectory: directory, launcherPath: '', cgroupDirectories: [] },
  };
};

const installed = (name: string, version: string, more: Partial<RpmPackage> = {}): RpmPackage => ({
  ...{ name, arch: 'x86_64', version, source: name, sourceVersion: version },
  ...{ module: null, vendor: null, installedAtMs: null },
  ...more,
});

test('what is offered has the source that it is built from', async () => {
  // As dnf 4 does on a host with a pending update of perl.
  const host = hostWith(
    'dnf',
    `case "$*" in
  *check-update*) printf 'perl-Errno.x86_64 1.30-481.el9 appstream\\nbind.x86_64 32:9.16.23-18.el9 appstream\\n'; exit 100 ;;
  *--installed*) ;;
  *repoquery*)
    case "$*" in *--disableexcludes*perl-Errno*) ;; *) exit 1 ;; esac
    printf 'perl-Errno\\t0\\t1.30\\t480.el9\\tx86_64\\tperl-5.32.1-480.el9.src.rpm\\tappstream\\n'
    printf 'perl-Errno\\t0\\t1.30\\t481.el9\\tx86_64\\tperl-5.32.1-481.el9.src.rpm\\tappstream\\n'
    printf 'bind\\t32\\t9.16.23\\t18.el9\\tx86_64\\tbind-9.16.23-18.el9.src.rpm\\tappstream\\n' ;;
  *repolist*) printf 'repo id  repo name\\nappstream AppStream\\n' ;;
esac
`,
  );
  const { offers, problem } = await readDnfInventory(
    [
      installed('perl-Errno', '1.30-480.el9', { source: 'perl', sourceVersion: '5.32.1-480.el9' }),
      installed('bind', '32:9.16.23-11.el9'),
    ],
    host,
    'rocky-9',
  );
  expect(offers).toEqual([
    {
      ...{ name: 'perl-Errno', arch: 'x86_64', version: '1.30-481.el9' },
      ...{ source: 'perl', sourceVersion: '5.32.1-481.el9' },
    },
    { name: 'bind', arch: 'x86_64', version: '32:9.16.23-18.el9' },
  ]);
  expect(problem).toBeNull();
});

test('where a repository cannot be read, what is installed is told all the same, and why nothing is offered', async () => {
  const host = hostWith(
    'dnf-without-mirror',
    `case "$*" in
  *--installed*) printf 'bind\\t32\\t9.16.23\\t11.el9\\tx86_64\\tbind-9.16.23-11.el9.src.rpm\\tappstream\\n' ;;
  *repolist*) printf 'repo id  repo name\\nappstream AppStream\\nepel EPEL\\n' ;;
  *) echo "Error: Failed to download metadata for repo 'epel': Cannot download repomd.xml" >&2; exit 1 ;;
esac
`,
  );
  const found = await readDnfInventory([installed('bind', '32:9.16.23-11.el9')], host, 'rocky-9');
  expect(found.inventory.packages).toEqual([
    { name: 'bind', arch: 'x86_64', version: '32:9.16.23-11.el9', repository: 'appstream' },
  ]);
  expect(found.inventory.channels).toEqual(['epel']);
  expect(found.offers).toEqual([]);
  expect(found.problem).toMatch(/check-update: Failed to download metadata for repo 'epel'/);
});

test('what may be taken is offered; only where nothing may be, what is kept back is, as held', async () => {
  // nginx is locked to a version that is newer than what is installed, and bind to the one that is; openssl is free.
  const host = hostWith(
    'dnf-with-locks',
    `case "$*" in
  *check-update*--disableexcludes*)
    printf 'nginx.x86_64 3-1 appstream\\nbind.x86_64 9-2 appstream\\nopenssl.x86_64 3-2 baseos\\n'; exit 100 ;;
  *check-update*) printf 'nginx.x86_64 2-1 appstream\\nopenssl.x86_64 3-2 baseos\\n'; exit 100 ;;
  *--installed*) ;;
  *repoquery*)
    for version in 2 3; do printf "nginx\\t0\\t$version\\t1\\tx86_64\\tweb-$version-1.src.rpm\\tappstream\\n"; done ;;
esac
`,
  );
  const { inventory, offers } = await readDnfInventory(
    ['nginx', 'bind', 'openssl'].map((name) => installed(name, '1-1')),
    host,
    'rocky-9',
  );
  expect(offers).toEqual(
    [
      { name: 'nginx', arch: 'x86_64', version: '2-1', source: 'web' },
      { name: 'bind', arch: 'x86_64', version: '9-2' },
      { name: 'openssl', arch: 'x86_64', version: '3-2' },
    ].map((one) => expect.objectContaining(one)),
  );
  expect(inventory.packages.map(({ name, held }) => [name, held])).toEqual([
    ['nginx', undefined],
    ['bind', true],
    ['openssl', undefined],
  ]);
});

test('who built a package is told, so that it is not taken for one of the distribution', async () => {
  const { inventory } = await readDnfInventory(
    [
      installed('bind', '9-1', { vendor: 'AlmaLinux' }),
      installed('nginx', '1-1', { vendor: 'Example Packages' }),
      installed('local', '1-1'),
    ],
    null,
    'almalinux-9',
  );
  expect(inventory.packages).toEqual([
    { name: 'bind', arch: 'x86_64', version: '9-1', vendor: 'AlmaLinux' },
    { name: 'nginx', arch: 'x86_64', version: '1-1', vendor: 'Example Packages' },
    { name: 'local', arch: 'x86_64', version: '1-1' },
  ]);
  expect(inventory.packages.map((one) => originOf(one, 'almalinux'))).toEqual([
    ...['own', 'foreign', 'unknown'],
  ]);
});
