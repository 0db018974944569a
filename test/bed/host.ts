import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AptRepository } from './apt-repository.ts';
import { removeHostCgroups, thawHostCgroups } from './cgroups.ts';
import { lxcNameOf, partitionTable } from './clean.ts';
import { bedCommands } from './command.ts';
import type { CommandOptions, CommandResult } from './command.ts';
import { exists } from './exists.ts';
import { BOOTED_FILE, hostAddress, hostConfig, linkUpScript, outerAddress } from './host-config.ts';
import type { ExtraMount, HostNames } from './host-config.ts';
import { spawnInHost } from './host-process.ts';
import type { HostProcess } from './host-process.ts';
import { unpackRoot } from './host-root.ts';
import { mountNewImage } from './root-image.ts';
import type { RootImage } from './root-image.ts';
import { waitUntil } from './wait-until.ts';

export interface HostOptions {
  /** 1 to 200, one of the bed's: network 10.77.N.0/24, containers 10.78.N.0/24, link `gs<N>`. */
  number: number;
  /** The host's own name; default `h<N>`. */
  name?: string;
  /** tini by default; systemd boots the root's own systemd with units, timers and journal. */
  init?: 'tini' | 'systemd';
  /** The file system of the root; default: the bed's choice. */
  rootImage?: RootImage;
  extraMounts?: readonly ExtraMount[];
}

export type HostRunOptions = Pick<CommandOptions, 'input' | 'timeoutMs' | 'environment'>;

export interface BedHost extends HostNames {
  /** The host's address, and the outer machine's on the same link: listen there for its agent. */
  address: string;
  outerAddress: string;
  start: () => Promise<void>;
  /** An orderly shutdown by its init. */
  stop: () => Promise<void>;
  /** Everything in it dies at once. */
  powerOff: () => Promise<void>;
  isRunning: () => Promise<boolean>;
  /** Pid of its init as the outer machine sees it. */
  initPid: () => Promise<number>;
  /** Runs a command in the host, whatever its exit status; no shell, standard input is empty. */
  run: (argv: readonly string[], options?: HostRunOptions) => Promise<CommandResult>;
  /** The same; throws when the exit status is not 0, and answers standard output. */
  must: (argv: readonly string[], options?: HostRunOptions) => Promise<string>;
  /** Starts a long-running program in the host. */
  spawn: (
    argv: readonly string[],
    options?: { environment?: Record<string, string> },
  ) => Promise<HostProcess>;
  /** Files of the host's root file system (not of a tmpfs that the host mounts, such as /run). */
  readFile: (path: string) => Promise<string>;
  writeFile: (path: string, text: string, mode?: number) => Promise<void>;
  /** Cuts the host off from the outer machine, and back on. */
  partition: () => Promise<void>;
  heal: () => Promise<void>;
}

/** What a host needs of its bed. */
export interface HostSurroundings {
  bedDirectory: string;
  rootTar: string;
  repository: AptRepository;
  /** Mounted in each host. */
  mounts: readonly ExtraMount[];
}

const BASE_ENVIRONMENT: Record<string, string> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** Unpacks the root of a host and writes its configuration; `start` boots it. */
export const prepareHost = async (
  { bedDirectory, rootTar, repository, mounts }: HostSurroundings,
  options: HostOptions,
): Promise<BedHost> => {
  const { number, init = 'tini' } = options;
  const commands = bedCommands(bedDirectory);
  const lxcName = lxcNameOf(number);
  const names: HostNames = {
    ...{ number, lxcName, name: options.name ?? `h${number}` },
    lxcPath: join(bedDirectory, 'lxc'),
    rootDirectory: join(bedDirectory, 'hosts', lxcName, 'rootfs'),
  };
  const inRoot = (path: string): string => join(names.rootDirectory, path);
  // The path must be the same absolute one in every call: LXC finds running containers by it.
  const lxc = (tool: string, ...rest: string[]): string[] => [
    ...[tool, '-P', names.lxcPath, '-n', lxcName],
    ...rest,
  ];
  const attach = (argv: readonly string[], environment: Record<string, string> = {}): string[] => {
    const variables = Object.entries({ ...BASE_ENVIRONMENT, ...environment });
    return lxc(
      'lxc-attach',
      '--clear-env',
      ...variables.flatMap(([name, value]) => ['-v', `${name}=${value}`]),
      ...['--', ...argv],
    );
  };
  const afterStop = async (): Promise<void> => {
    await removeHostCgroups(lxcName);
  };

  if (options.rootImage === undefined) await mkdir(names.rootDirectory, { recursive: true });
  else {
    const image = join(dirname(names.rootDirectory), 'root.img');
    await mountNewImage(commands, image, options.rootImage, names.rootDirectory);
  }
  await unpackRoot(commands, names, rootTar, repository, init);
  const configDirectory = join(names.lxcPath, lxcName);
  await mkdir(configDirectory, { recursive: true });
  await writeFile(
    join(configDirectory, 'config'),
    hostConfig(names, init, [...mounts, ...(options.extraMounts ?? [])]),
  );
  await writeFile(join(configDirectory, 'up'), linkUpScript(names));
  await chmod(join(configDirectory, 'up'), 0o755);

  return {
    ...names,
    address: hostAddress(number),
    outerAddress: outerAddress(number),
    start: async () => {
      await rm(inRoot(BOOTED_FILE), { force: true });
      await commands.must(lxc('lxc-start', '-o', join(configDirectory, 'log')));
      const booted = (): Promise<boolean> => exists(inRoot(BOOTED_FILE));
      await waitUntil(`host ${names.name} to boot`, booted, { deadlineMs: 30_000 });
    },
    stop: async () => {
      await commands.must(lxc('lxc-stop', '-t', '60'));
      await afterStop();
    },
    powerOff: async () => {
      await thawHostCgroups(lxcName);
      await commands.must(lxc('lxc-stop', '-k'));
      await afterStop();
    },
    isRunning: async () =>
      (await commands.run(lxc('lxc-info', '-s', '-H'))).stdout.trim() === 'RUNNING',
    initPid: async () => Number(await commands.must(lxc('lxc-info', '-p', '-H'))),
    run: (argv, { environment, ...rest } = {}) => commands.run(attach(argv, environment), rest),
    must: (argv, { environment, ...rest } = {}) => commands.must(attach(argv, environment), rest),
    spawn: (argv, { environment } = {}) =>
      spawnInHost(bedDirectory, attach(argv, environment), argv.join(' ')),
    readFile: (path) => readFile(inRoot(path), 'utf8'),
    writeFile: async (path, text, mode = 0o644) => {
      await mkdir(dirname(inRoot(path)), { recursive: true });
      await writeFile(inRoot(path), text);
      await chmod(inRoot(path), mode);
    },
    partition: async () => {
      // As an argument: nft 1.0.9 reads standard input from no socket, which is what it gets here.
      const table = [
        `table ip ${partitionTable(number)} {`,
        'chain out {',
        'type filter hook output priority 0;',
        `oifname ${lxcName} drop`,
        '}',
        'chain in {',
        'type filter hook prerouting priority -300;',
        `iifname ${lxcName} drop`,
        '}',
        '}',
      ];
      await commands.must(['nft', table.join('\n')]);
    },
    heal: async () => {
      await commands.must(['nft', 'delete', 'table', 'ip', partitionTable(number)]);
    },
  };
};
