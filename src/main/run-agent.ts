import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InstalledPackage } from '../core/packages.ts';
import type { SettingsRecord } from '../core/settings-record.ts';
import { findCgroupDirectories } from '../host/packages/cgroup-directories.ts';
import { openPackageManager } from '../host/packages/open-package-manager.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { loadOrMakeKeys, readTrustedKeys } from '../jobs/key-files.ts';
import { importPublicKey } from '../jobs/signing-key.ts';
import { watchPackages } from '../producers/watch-packages.ts';
import { limitErrors } from '../telemetry/limited-errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { agentTimes } from '../workers/agent/agent-options.ts';
import { startAgent } from '../workers/agent/start-agent.ts';
import type { RunningAgent } from '../workers/agent/agent-options.ts';
import { agentDirectory, agentKeysPath, trustedKeysPath } from './key-card.ts';
import { readMachineId } from './machine-id.ts';
import { parkedPath } from '../host/lxc/provision/parked.ts';
import { openRealHost } from '../workers/agent/ports/real-host.ts';
import type { SettingsPort } from '../workers/agent/agent-host.ts';

export interface RunAgentOptions {
  version: string;
  hostId: string;
  dataDirectory: string;
  lxcPath: string;
  spoolDirectory: string;
  /** Directories and files of Groundswell's own: hidden in every container. */
  privatePaths: readonly string[];
  redis: RedisAddress;
  settings: SettingsPort;
  /** The settings as the audit trail tells changes of them. */
  describeSettings: (salt: string) => SettingsRecord;
  /** How often it looks at things; times in ms. */
  every: {
    /** Containers and their health. */
    lookMs: number;
    /** Everything is reported, changed or not. */
    wholeMs: number;
    /** The package database is compared where no hook told of a change. */
    compareMs: number;
    /** The repositories' indexes are fetched; null: only where the server asks. */
    refreshMs: number | null;
  };
  /** The script that runs a transaction outside our control group. */
  launcherPath: string;
  logger: Logger;
}

const packageTimes = { idleMs: 5_000, pollMs: 2_000, openPollMs: 250 };
const lockTimeoutMs = 600_000;

/** The inventory that was last told of, in a file that is whole or not there. */
const inventoryStore = (path: string): Parameters<typeof watchPackages>[0]['store'] => ({
  load: async () => {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === null) return null;
    const read = z.array(InstalledPackage).safeParse(JSON.parse(text));
    return read.success ? read.data : null;
  },
  save: async (inventory) => {
    const beside = `${path}.${randomUUID()}`;
    await writeFile(beside, JSON.stringify(inventory), { mode: 0o600, flush: true });
    await rename(beside, path);
  },
});

/** The agent of this host, on its real LXC and package manager. */
export const runAgent = async (options: RunAgentOptions): Promise<RunningAgent> => {
  const { hostId, dataDirectory, spoolDirectory, logger } = options;
  const directory = agentDirectory(dataDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir(spoolDirectory, { recursive: true, mode: 0o700 });
  const keys = await loadOrMakeKeys(agentKeysPath(dataDirectory), await readMachineId());
  const serverKeys = (await readTrustedKeys(trustedKeysPath(dataDirectory))).map(importPublicKey);
  const onError = limitErrors(logger);
  const packages = openPackageManager({
    transactionsDirectory: join(directory, 'transactions'),
    launcherPath: options.launcherPath,
    cgroupDirectories: await findCgroupDirectories('groundswell-upgrade'),
    lockTimeoutMs,
    environment: {},
  });
  const real = openRealHost({
    ...{ lxcPath: options.lxcPath, own: options.privatePaths },
    parkedDirectory: parkedPath(dataDirectory),
    settings: options.settings,
    packages,
    onProblem: (text) => {
      onError(new Error(text), 'host');
    },
  });
  const clock = { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID };
  const agent = await startAgent({
    hostId,
    version: options.version,
    journalPath: join(directory, 'journal.sqlite'),
    redis: options.redis,
    serverKeys: () => serverKeys,
    signingKey: () => keys.active,
    host: real.host,
    describeSettings: options.describeSettings,
    watchPackages: (events, { suspended }) =>
      watchPackages({
        database: packages.database,
        spoolDirectory,
        spoolOwner: 0,
        store: inventoryStore(join(directory, 'inventory.json')),
        clocks: { monotonicMs: clock.monoMs, wallMs: clock.wallMs },
        ...packageTimes,
        compareMs: options.every.compareMs,
        suspended,
        onTransaction: events.onTransaction,
        onOpen: events.onOpen,
        onQuiet: events.onQuiet,
        onRefused: ({ path, reason }) => {
          onError(new Error(`${path}: ${reason}`), 'spool');
        },
        onError: (error) => {
          onError(error, 'package database');
        },
      }),
    clock,
    logger,
    times: {
      ...agentTimes,
      observe: {
        ...agentTimes.observe,
        lookEveryMs: options.every.lookMs,
        wholeEveryMs: options.every.wholeMs,
      },
      inventory: { ...agentTimes.inventory, refreshEveryMs: options.every.refreshMs },
    },
  });
  return {
    status: agent.status,
    stop: async () => {
      await agent.stop();
      await real.close();
    },
  };
};
