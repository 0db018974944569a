/**
 * Runs, compiled, in a bed host: `node dnf.child.js COMMAND JSON`. Calls one function of the agent on the host's real
 * dnf and prints its answer as JSON; `watch` prints one line per event.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { InstalledPackage } from '../../src/core/packages.ts';
import { InstalledPackage as InstalledPackageSchema } from '../../src/core/packages.ts';
import { dnfManager, rpmDatabase } from '../../src/host/dnf/dnf-manager.ts';
import { findDnf } from '../../src/host/dnf/find-dnf.ts';
import { findOtherRestarters } from '../../src/host/packages/other-restarters.ts';
import { findRpmPlace } from '../../src/host/dnf/rpm-place.ts';
import { upgrade } from '../../src/host/dnf/upgrade.ts';
import { findCgroupDirectories } from '../../src/host/packages/cgroup-directories.ts';
import type { UpgradeRequest } from '../../src/host/packages/package-manager.ts';
import { watchPackages } from '../../src/producers/watch-packages.ts';

const [command = '', json = '{}'] = process.argv.slice(2);
const input: unknown = JSON.parse(json);
const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

const BASELINE = '/var/lib/gsbed/inventory.json';
const rpm = findRpmPlace('/') ?? { root: '/', dbPath: '/var/lib/rpm' };

const base = {
  transactionsDirectory: '/var/lib/groundswell/transactions',
  launcherPath: '/opt/groundswell/packaging/libexec/groundswell-run-transaction',
  cgroupDirectories: await findCgroupDirectories('groundswell-upgrade'),
  lockTimeoutMs: 2000,
  environment: {},
  rpm,
};
const manager = dnfManager(base);
const host = async () => ({ ...base, ...(await findDnf({})) });

const store = {
  load: async (): Promise<InstalledPackage[] | null> => {
    const text = await readFile(BASELINE, 'utf8').catch(() => null);
    return text === null ? null : z.array(InstalledPackageSchema).parse(JSON.parse(text));
  },
  // Whole or not at all: tests kill this program at any moment.
  save: async (inventory: InstalledPackage[]): Promise<void> => {
    await writeFile(`${BASELINE}.partial`, JSON.stringify(inventory));
    await rename(`${BASELINE}.partial`, BASELINE);
    print({ event: 'saved' });
  },
};

const watch = async (): Promise<void> => {
  const watcher = await watchPackages({
    ...{ database: rpmDatabase(rpm), spoolDirectory: '/var/spool/groundswell', spoolOwner: 0 },
    store,
    clocks: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    ...{ idleMs: 5000, pollMs: 1000, openPollMs: 250, compareMs: 60_000, suspended: false },
    onTransaction: (transaction) => {
      print({ event: 'transaction', ...transaction });
      return Promise.resolve();
    },
    onOpen: (reason) => print({ event: 'open', reason }),
    onQuiet: () => print({ event: 'quiet' }),
    onRefused: (refused) => print({ event: 'refused', ...refused }),
    onError: (error) => print({ event: 'error', message: String(error) }),
  });
  print({ event: 'watching' });
  process.once('SIGTERM', () => {
    void watcher.stop();
  });
};

switch (command) {
  case 'which':
    print(await findDnf({}));
    break;
  case 'inventory':
    print(await manager.readInventory('almalinux-9.9'));
    break;
  case 'at-rest':
    print(await manager.database.atRest());
    break;
  case 'refresh':
    print(await manager.refresh({ timeoutMs: 60_000 }));
    break;
  case 'upgrade':
    print(await upgrade(await host(), input as UpgradeRequest));
    break;
  case 'resume':
    print(await manager.resume((input as UpgradeRequest).id));
    break;
  case 'other-restarters':
    print(await findOtherRestarters('/'));
    break;
  case 'watch':
    await watch();
    break;
  default:
    throw new Error(`no command ${command}`);
}
