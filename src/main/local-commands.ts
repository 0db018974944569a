import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { callApi } from '../api/client.ts';
import { registerBackup } from '../cli/local/backup.ts';
import { registerAuditVerify } from '../cli/local/audit-verify.ts';
import { registerConfigCheck } from '../cli/local/config-check.ts';
import { registerContainer } from '../cli/local/container.ts';
import { registerDoctor } from '../cli/local/doctor.ts';
import type { DoctorCheck } from '../cli/local/doctor.ts';
import { containerChecks } from '../cli/local/doctor-checks/container-checks.ts';
import { installationChecks, isSetUp } from '../cli/local/doctor-checks/installation-checks.ts';
import { redisCheck } from '../cli/local/doctor-checks/redis-check.ts';
import { restoreCheck } from '../cli/local/doctor-checks/restore-check.ts';
import { serviceChecks } from '../cli/local/doctor-checks/service-checks.ts';
import { systemChecks } from '../cli/local/doctor-checks/system-checks.ts';
import type { InstallationDependencies } from '../cli/local/installation/carry-out.ts';
import { packagingReader } from '../cli/local/installation/desired.ts';
import type { DesiredOptions } from '../cli/local/installation/desired.ts';
import { registerInventory } from '../cli/local/inventory.ts';
import { registerMatch } from '../cli/local/match/match.ts';
import { registerPlatform } from '../cli/local/platform/platform.ts';
import { registerScan } from '../cli/local/scan.ts';
import { registerSetup } from '../cli/local/setup.ts';
import { registerUninstall } from '../cli/local/uninstall.ts';
import { registerVersions } from '../cli/local/versions.ts';
import type { CliDependencies } from '../cli/remote.ts';
import { openFeedFiles } from '../producers/advisories/open-feed-files.ts';
import type { StatusView } from '../cli/views.ts';
import { processEnvironment } from '../config/environment.ts';
import { hostIdOf } from '../config/host-id.ts';
import { loadConfig } from '../config/load-config.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { Configuration } from '../config/schema.ts';
import { openPackageManager } from '../host/packages/open-package-manager.ts';
import { findOtherRestarters } from '../host/packages/other-restarters.ts';
import type { PackageManager } from '../host/packages/package-manager.ts';
import { createLxcRuntime } from '../host/lxc/lxc-runtime.ts';
import { readAppArmor } from '../host/lxc/apparmor.ts';
import { parseConfig } from '../host/lxc/parse-config.ts';
import { parkedPath } from '../host/lxc/provision/parked.ts';
import { findUnhidden } from '../host/lxc/provision/find-unhidden.ts';
import { runBounded } from '../host/run-bounded.ts';
import { loadOrMakeKeys } from '../jobs/key-files.ts';
import { importPublicKey } from '../jobs/signing-key.ts';
import { readFile } from 'node:fs/promises';
import { refuseUnderWay } from '../store/backup/under-way.ts';
import { askRedis } from './ask-redis.ts';
import { fetchFeed } from './fetch-feed.ts';
import { settingsPortFrom } from './from-config.ts';
import { serverDirectory, serverKeysPath, trustedKeysPath } from './key-card.ts';
import { matchSources } from './match-sources.ts';
import { manifestDirectories } from './platforms.ts';
import { programRoot } from './program-root.ts';
import type { SettingsPort } from '../workers/agent/agent-host.ts';
import { readPlatform } from '../workers/agent/ports/host-facts.ts';
import { readMachineId } from './machine-id.ts';

/** As it is read; nothing is changed through it. */
const packagesOfThisHost = (): PackageManager =>
  openPackageManager({
    ...{ transactionsDirectory: '', launcherPath: '', cgroupDirectories: [] },
    ...{ lockTimeoutMs: 0, environment: {} },
  });

const isRoot = (): boolean => process.getuid?.() === 0;

const confirm = async (question: string): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
};

/** What this host is configured to be. */
export interface HostConfiguration {
  /** The defaults where what was loaded is wrong. */
  config: Configuration;
  loaded: LoadedConfig;
}

/** What containers must not see. Throws where the configuration does not tell: by the defaults too little would be hidden. */
const privatePathsOf = (loaded: LoadedConfig): readonly string[] => {
  if (loaded.ok) return loaded.privatePaths;
  throw new Error(
    'the configuration is wrong, so it is not known where keys and data lie, which containers must not see: mend it first (groundswell config check)',
  );
};

const installation = (
  { config, loaded }: HostConfiguration,
  write: (text: string) => void,
): InstallationDependencies => ({
  placesAreKnown: () => void privatePathsOf(loaded),
  readPackaging: packagingReader(join(programRoot(), 'packaging')),
  nodePath: process.execPath,
  binPath: join(programRoot(), 'bin', 'groundswell.js'),
  dataDirectory: config.dataDirectory,
  spoolDirectory: config.agent.spoolDirectory,
  keyFiles: ['server/keys.json', 'agent/keys.json'].map((path) => join(config.dataDirectory, path)),
  trustedKeysFile: trustedKeysPath(config.dataDirectory),
  // The agent's key is bound to this machine, the server's to its data directory alone.
  makeKey: async (path) => {
    if (path === serverKeysPath(config.dataDirectory))
      await refuseUnderWay(serverDirectory(config.dataDirectory));
    await loadOrMakeKeys(path, path.endsWith('agent/keys.json') ? await readMachineId() : null);
  },
  run: runBounded,
  isRoot: isRoot(),
  write,
  confirm: process.stdin.isTTY ? confirm : null,
});

const askStatus = async (config: Configuration): Promise<StatusView> =>
  (await callApi(config.server.socket, 'GET', '/v1/status')) as StatusView;

/** It knows the store, which no other local verb needs. */
const backups = () => import('./backup.ts');

const installedHere = (of: HostConfiguration): { root: string; desired: DesiredOptions } => {
  const { readPackaging, nodePath, binPath, ...more } = installation(of, () => undefined);
  const { dataDirectory, spoolDirectory } = more;
  return {
    root: '/',
    desired: { readPackaging, nodePath, binPath, dataDirectory, spoolDirectory },
  };
};

const doctorChecks = (of: HostConfiguration, file: string | undefined): DoctorCheck[] => {
  const { config, loaded } = of;
  const { lxcPath } = config.agent;
  const runtime = createLxcRuntime({ lxcPath });
  const here = installedHere(of);
  return [
    ...systemChecks({ isRoot: isRoot(), run: runBounded, procRoot: '/proc' }),
    ...installationChecks({
      ...here,
      loadConfig: () => loadConfig({ file, environment: processEnvironment() }),
      otherRestarters: () => findOtherRestarters('/'),
    }),
    ...containerChecks({
      containers: async () => {
        const containers = await runtime.list();
        const states = await runtime.states(containers.map(({ name }) => name));
        return Promise.all(
          containers.map(async ({ name, root, groups, configPath }) => ({
            ...{ name, root, groups, configPath, down: states.get(name)?.state === 'stopped' },
            entries: parseConfig(await readFile(configPath, 'utf8')),
          })),
        );
      },
      unhidden: async () =>
        findUnhidden(await runtime.list(), { lxcPath, own: privatePathsOf(loaded) }),
      services: config.services,
      hostId: () => hostIdOf(config),
      appArmor: () => readAppArmor('/sys', runBounded),
    }),
    redisCheck(() => askRedis(config)),
    ...serviceChecks({
      ...here,
      run: runBounded,
      askServer: async () => (await askStatus(config)).version,
    }),
    restoreCheck({
      leftovers: async () => (await backups()).restoreLeftovers(config),
      askPauses: async () => (await askStatus(config)).pauses,
    }),
  ];
};

/** What is wrong with it a check tells; the others look in the usual places then. */
const configurationOf = async (file: string): Promise<HostConfiguration> => {
  const loaded = await loadConfig({ file, environment: processEnvironment() });
  return { config: loaded.ok ? loaded.config : Configuration.parse({}), loaded };
};

const warn = (text: string): void => void process.stderr.write(text);

/** The verbs that need no server. */
export const registerLocal = (
  program: Command,
  of: HostConfiguration,
  deps: CliDependencies,
): void => {
  const { config, loaded } = of;
  const { setExitCode } = deps;
  registerScan(program, config.agent.lxcPath);
  let settings: SettingsPort | undefined;
  registerContainer(program, {
    ...{ ...deps, now: Date.now, lxcPath: config.agent.lxcPath },
    optOutOf: (container) => (settings ??= settingsPortFrom(config)).optOut(container, Date.now()),
    configured: () => ({
      privatePaths: privatePathsOf(loaded),
      parkedDirectory: parkedPath(config.dataDirectory),
    }),
  });
  registerConfigCheck(program, {
    environment: processEnvironment(),
    write: deps.write,
    setExitCode,
  });
  registerMatch(program, {
    sources: matchSources,
    open: openFeedFiles,
    fetch: fetchFeed,
    write: deps.write,
    warn,
  });
  registerInventory(program, {
    ...{ ...deps, warn },
    read: async () => packagesOfThisHost().readInventory(await readPlatform()),
  });
  registerPlatform(program, {
    ...deps,
    directories: manifestDirectories(undefined),
    readPlatform,
    readInventory: async () =>
      (await packagesOfThisHost().readInventory(await readPlatform())).inventory,
    readCore: () => packagesOfThisHost().readCore(),
    now: Date.now,
    setExitCode,
  });
  registerBackup(program, {
    ...{ write: deps.write, actor: deps.actor },
    backUp: async (...asked) => (await backups()).backUp(...asked),
    restore: async (...asked) => (await backups()).restore(...asked),
  });
  registerAuditVerify(program, { write: deps.write, setExitCode, importKey: importPublicKey });
  registerVersions(program, {
    input: () => process.stdin.setEncoding('utf8'),
    write: async (text) => {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    },
  });
  registerSetup(program, installation(of, deps.write));
  registerUninstall(program, installation(of, deps.write));
  registerDoctor(program, {
    examination: async (named) => {
      const file = named === undefined ? undefined : resolve(named);
      const told = file === undefined ? of : await configurationOf(file);
      return {
        checks: doctorChecks(told, file),
        isSetUp: () => isSetUp(installedHere(told)),
      };
    },
    write: deps.write,
    setExitCode,
    interactive: deps.interactive,
  });
};
