import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AptHost } from '../../../../src/host/apt/apt-host.ts';
import { upgrade } from '../../../../src/host/apt/upgrade.ts';
import type { UpgradeResult } from '../../../../src/host/packages/package-manager.ts';

/**
 * What apt says of an upgrade that would remove `bar`, in the words of the real one (test/e2e/apt.test.ts): here what is asked of it
 * counts. As in a transaction that another process has changed the grounds of, its last word is its own.
 */
const said: Record<string, string> = {
  'apt-cache': `case "$*" in
  *show*) printf 'Package: foo\\nArchitecture: all\\nVersion: 2.0\\n\\nPackage: foo\\nArchitecture: all\\nVersion: 1.0\\n' ;;
  *foo*) printf 'foo:\\n  Installed: 1.0\\n  Candidate: 2.0\\n  Version table:\\n     2.0 500\\n        500 http://deb.example stable/main all Packages\\n *** 1.0 100\\n        100 /var/lib/dpkg/status\\n' ;;
esac`,
  'apt-get': `case "$*" in
  *-s*) printf 'Remv bar [1.0]\\nInst foo [1.0] (2.0 Test:stable [all])\\nConf foo (2.0 Test:stable [all])\\n' ;;
  *) echo "$@" >>"$ASKED" ;;
esac`,
  'apt-mark': '',
};

let root: string;
let host: AptHost;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-removals-'));
  for (const name of ['bin', 'var/lib/dpkg/updates'])
    await mkdir(join(root, name), { recursive: true });
  for (const [name, script] of Object.entries(said))
    await writeFile(join(root, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const stanza = (name: string): string =>
    `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n\n`;
  await writeFile(join(root, 'var/lib/dpkg/status'), stanza('foo') + stanza('bar'));
  host = {
    ...{ root, transactionsDirectory: join(root, 'transactions'), cgroupDirectories: [] },
    launcherPath: join(process.cwd(), 'packaging/libexec/groundswell-run-transaction'),
    lockTimeoutMs: 0,
    environment: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, ASKED: join(root, 'asked') },
  };
});
afterEach(() => rm(root, { recursive: true }));

const upgraded = (allowRemove: boolean): Promise<UpgradeResult> =>
  upgrade(host, {
    ...{ id: 'u-1', allowRemove, mode: 'packages' },
    packages: [{ name: 'foo', want: 'exact', version: '2.0' }],
  });
/** What apt was asked to do, and not only to simulate. */
const asked = (): Promise<string> => readFile(join(root, 'asked'), 'utf8').catch(() => '');

describe('an upgrade that would remove a package', () => {
  test('is refused before anything is begun, and names it', async () => {
    expect(await upgraded(false)).toMatchObject({
      ok: false,
      reason: { kind: 'would-remove', message: expect.stringContaining('would remove bar') },
    });
    expect(await asked()).toBe('');
  });

  test('is begun where that is allowed', async () => {
    await upgraded(true);
    expect(await asked()).toContain('install foo=2.0');
    expect(await asked()).not.toContain('--no-remove');
  });
});

test('apt itself is told to remove nothing, for what it showed may have changed since', async () => {
  const script = (said['apt-get'] ?? '').replace('Remv bar [1.0]\\n', '');
  await writeFile(join(root, 'bin', 'apt-get'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await upgraded(false);
  expect(await asked()).toMatch(/ --no-remove .*install foo=2\.0/);
});
