import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aptManager } from '../../../../src/host/apt/apt-manager.ts';
import type { PackageManager } from '../../../../src/host/packages/package-manager.ts';
import { waitUntil } from '../../../bed/wait-until.ts';

/** Holds dpkg's lock as the real one does, while a postinst waits for an answer; what is said then are dpkg's and apt's own words. */
const upgrading = `use Fcntl;
open(my $lock, '>', "$ENV{ROOT}/var/lib/dpkg/lock-frontend") or die;
my $flock = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
fcntl($lock, F_SETLK, $flock) or die;
my $status = system('/bin/sh', '-c', "read answer < $ENV{ROOT}/answer", '/var/lib/dpkg/info/foo.postinst', 'configure', '1.0');
exit 0 if $status == 0;
print "dpkg: error processing package foo (--configure):\\n installed foo package post-installation script subprocess was killed by signal (Terminated)\\n";
print "Errors were encountered while processing:\\n foo\\nE: Sub-process /usr/bin/dpkg returned an error code (1)\\n";
exit 100;
`;

const said: Record<string, string> = {
  'apt-cache': `case "$*" in
  *show*) printf 'Package: foo\\nArchitecture: all\\nVersion: 2.0\\n\\nPackage: foo\\nArchitecture: all\\nVersion: 1.0\\n' ;;
  *foo*) printf 'foo:\\n  Installed: 1.0\\n  Candidate: 2.0\\n  Version table:\\n     2.0 500\\n        500 http://deb.example stable/main all Packages\\n *** 1.0 100\\n        100 /var/lib/dpkg/status\\n' ;;
esac`,
  'apt-get': `case "$*" in
  *-s*) printf 'Inst foo [1.0] (2.0 Test:stable [all])\\nConf foo (2.0 Test:stable [all])\\n' ;;
  *) exec perl "$ROOT/upgrading.pl" ;;
esac`,
  'apt-mark': '',
};

let root: string;
let manager: PackageManager;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-hanging-'));
  for (const name of ['bin', 'var/lib/dpkg/updates'])
    await mkdir(join(root, name), { recursive: true });
  for (const [name, script] of Object.entries(said))
    await writeFile(join(root, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await writeFile(join(root, 'upgrading.pl'), upgrading);
  execFileSync('mkfifo', [join(root, 'answer')]);
  await writeFile(
    join(root, 'var/lib/dpkg/status'),
    'Package: foo\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n\n',
  );
  manager = aptManager({
    ...{ root, transactionsDirectory: join(root, 'transactions'), cgroupDirectories: [] },
    launcherPath: join(process.cwd(), 'packaging/libexec/groundswell-run-transaction'),
    lockTimeoutMs: 0,
    environment: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, ROOT: root },
  });
});
afterEach(() => rm(root, { recursive: true }));

const begin = async () => {
  expect(manager.atWork()).toBeNull();
  const upgraded = manager.upgrade({
    ...{ id: 'u-1', allowRemove: false, mode: 'packages' },
    packages: [{ name: 'foo', want: 'exact', version: '2.0' }],
  });
  const script = await waitUntil('its postinst hangs', () => manager.atWork()?.script ?? null, {
    deadlineMs: 30_000,
  });
  return { upgraded, script };
};

test('a postinst that waits for an answer is named with its process, and left alone until it goes on', async () => {
  const { upgraded, script } = await begin();
  expect(script.what).toBe('the postinst of foo');
  expect(await manager.atRest()).toMatchObject({
    atRest: false,
    reason: expect.stringMatching(/^perl \(pid \d+\) holds .*lock-frontend$/),
  });
  await writeFile(join(root, 'answer'), 'yes\n');
  expect(await upgraded).toMatchObject({ ok: true });
  expect(manager.atWork()).toBeNull();
});

test('one that a person ends has failed, and says so', async () => {
  const { upgraded, script } = await begin();
  process.kill(script.pid, 'SIGTERM');
  expect(await upgraded).toMatchObject({
    ok: false,
    reason: { kind: 'package-failed', message: expect.stringContaining('was killed by signal') },
  });
  expect(manager.atWork()).toBeNull();
});
