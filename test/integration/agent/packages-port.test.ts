import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { HostUpgrade } from '../../../src/core/messages.ts';
import { aptManager } from '../../../src/host/apt/apt-manager.ts';
import type { PackageManager, UpgradeRequest } from '../../../src/host/packages/package-manager.ts';
import type { PackagesPort } from '../../../src/workers/agent/agent-host.ts';
import { createPackagesPort } from '../../../src/workers/agent/ports/packages-port.ts';
import { removeTree } from './loop-rig.ts';

let directory: string;
let port: PackagesPort;
let manager: PackageManager;

/** An `apt-get` that waits until it is let on, and then cannot fetch its indexes. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gs-packages-'));
  execFileSync('mkfifo', [join(directory, 'go')]);
  const script = `#!/bin/sh\nread -r go < ${directory}/go\necho "E: Failed to fetch http://m/InRelease  Could not resolve 'm'" >&2\nexit 100\n`;
  writeFileSync(join(directory, 'apt-get'), script, { mode: 0o755 });
  manager = aptManager({
    ...{ root: '/', launcherPath: '/bin/false', cgroupDirectories: [], lockTimeoutMs: 1_000 },
    transactionsDirectory: join(directory, 'transactions'),
    environment: { PATH: `${directory}:/usr/bin:/bin` },
  });
  port = createPackagesPort(manager);
});
afterEach(() => {
  removeTree(directory);
});

const order: HostUpgrade = {
  ...{
    waveId: 'w',
    grantId: 'ug',
    mode: 'security',
    packages: [],
    allowRemove: false,
  },
  ...{ services: [], beginBefore: 1, deadline: 2 },
};

test('an upgrade that has not come to apt yet is found by the next life in the same process', async () => {
  const begun = port.upgrade(order, 'u');
  const found = port.findUpgrade('u');
  expect(await port.findUpgrade('another')).toBe(null);
  await writeFile(join(directory, 'go'), 'on\n');
  const answer = await begun;
  // By its code the server knows that this passes.
  expect(answer).toMatchObject({ ok: false, code: 'repository-unreachable', changes: [] });
  expect(await found).toBe(answer);
  // It has changed nothing, and may be begun anew.
  expect(await port.findUpgrade('u')).toBe(null);
});

test('an upgrade is told what was proved elsewhere, where anything was', async () => {
  const asked: UpgradeRequest[] = [];
  const told = createPackagesPort({
    ...manager,
    refresh: () => Promise.resolve({ ok: true, output: '' }),
    upgrade: (request) => {
      asked.push(request);
      return Promise.resolve({ ok: true, changes: [], transcript: null, held: [] });
    },
  });
  const named = { ...order, mode: 'packages' } as const;
  const proved = [{ name: 'libz', arch: 'amd64', version: '2' }];
  await told.upgrade({ ...named, proved }, 'u1');
  await told.upgrade(named, 'u2');
  expect(asked).toEqual([
    { id: 'u1', allowRemove: false, mode: 'packages', packages: [], proved },
    { id: 'u2', allowRemove: false, mode: 'packages', packages: [] },
  ]);
});
