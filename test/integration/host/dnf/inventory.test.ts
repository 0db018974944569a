import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readDnfInventory } from '../../../../src/host/dnf/read-inventory.ts';

const directory = mkdtempSync(join(tmpdir(), 'gs-dnf-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Answers as dnf 4 does on a host with a pending update of perl. */
const script = `#!/bin/sh
case "$*" in
  *check-update*) printf 'perl-Errno.x86_64 1.30-481.el9 appstream\\nbind.x86_64 32:9.16.23-18.el9 appstream\\n'; exit 100 ;;
  *--installed*) ;;
  *repoquery*)
    case "$*" in *--disableexcludes*perl-Errno*) ;; *) exit 1 ;; esac
    printf 'perl-Errno\\t0\\t1.30\\t480.el9\\tx86_64\\tperl-5.32.1-480.el9.src.rpm\\tappstream\\n'
    printf 'perl-Errno\\t0\\t1.30\\t481.el9\\tx86_64\\tperl-5.32.1-481.el9.src.rpm\\tappstream\\n'
    printf 'bind\\t32\\t9.16.23\\t18.el9\\tx86_64\\tbind-9.16.23-18.el9.src.rpm\\tappstream\\n' ;;
  *repolist*) printf 'repo id  repo name\\nappstream AppStream\\n' ;;
esac
`;

test('what is offered has the source that it is built from', async () => {
  const program = join(directory, 'dnf');
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  const installed = (name: string, version: string, source: string, sourceVersion: string) => ({
    ...{ name, arch: 'x86_64', version, source, sourceVersion },
    ...{ module: null, vendor: null, installedAtMs: null },
  });
  const { offers } = await readDnfInventory(
    [
      installed('perl-Errno', '1.30-480.el9', 'perl', '5.32.1-480.el9'),
      installed('bind', '32:9.16.23-11.el9', 'bind', '32:9.16.23-11.el9'),
    ],
    {
      ...{ program, generation: 4, environment: {} },
      ...{ rpm: { root: directory, dbPath: '/var/lib/rpm' }, lockTimeoutMs: 1000 },
      ...{ transactionsDirectory: directory, launcherPath: '', cgroupDirectories: [] },
    },
    'rocky-9',
  );
  expect(offers).toEqual([
    {
      ...{ name: 'perl-Errno', arch: 'x86_64', version: '1.30-481.el9' },
      ...{ source: 'perl', sourceVersion: '5.32.1-481.el9' },
    },
    { name: 'bind', arch: 'x86_64', version: '32:9.16.23-18.el9' },
  ]);
});
