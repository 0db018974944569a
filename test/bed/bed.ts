import { mkdir, statfs } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { readDistribution } from './apt-sources.ts';
import { createAptRepository } from './apt-repository.ts';
import type { AptRepository } from './apt-repository.ts';
import { claimHostNumbers, releaseHostNumbers } from './claim-numbers.ts';
import { cleanBed } from './clean.ts';
import { bedCommands } from './command.ts';
import type { Commands } from './command.ts';
import { startContainers, waitUntilHealthy, writeContainers } from './containers.ts';
import type { BedContainer, ContainerOptions } from './containers.ts';
import { DEMO_PACKAGES, DEMO_VERSIONS, ensureDemoPackages } from './demo-packages.ts';
import type { DemoPackage, DemoVersion } from './demo-packages.ts';
import type { DemoRpmVersion } from './demo-rpms.ts';
import { createDnfPackages, DNF_ROOT_PACKAGES, RPM_OUTER_PACKAGES } from './dnf-packages.ts';
import type { DnfPackages } from './dnf-packages.ts';
import { exists } from './exists.ts';
import type { ExtraMount } from './host-config.ts';
import { prepareHost } from './host.ts';
import type { BedHost, HostOptions } from './host.ts';
import { installOuterPackages } from './outer-packages.ts';
import { standsInChroot } from './real-root.ts';
import { ensureRootTar } from './root-cache.ts';
import { canMountImages } from './root-image.ts';
import type { RootImage } from './root-image.ts';

export interface BedOptions {
  /** The bed's own directory: absolute, made by it, deleted with everything in it at the end. */
  directory: string;
  /** Numbers (1 to 200) that hosts of this bed may take; no other bed may use them meanwhile. */
  hostNumbers: readonly number[];
  /** The checkout: C sources are read from it, and hosts see it at /opt/groundswell. */
  projectDirectory: string;
  /** Where the packed root and the demo packages are kept between runs. */
  cacheDirectory?: string;
  /** What hosts have their roots in, where they do not say it; default: images, where those can be mounted. */
  roots?: 'images' | 'directories';
  /** What the hosts' packages are managed by: apt by default, or dnf 4 over rpm (`dnf-packages.ts`). */
  packages?: 'apt' | 'dnf';
  /** Told what takes long, one line each. */
  report?: (line: string) => void;
}

export interface Bed {
  directory: string;
  hostNumbers: readonly number[];
  commands: Commands;
  repository: AptRepository;
  /** Packages and repository of dnf hosts; null where hosts have apt. */
  dnf: DnfPackages | null;
  /** Publishes demo packages in the given versions in the security suite, or with advisories. */
  publish: (versions: Partial<Record<DemoPackage, DemoVersion | DemoRpmVersion>>) => Promise<void>;
  /** A booted host with the bed's repository and every demo package installed in 1.0-1. */
  createHost: (options: HostOptions) => Promise<BedHost>;
  /** Containers of one service on a host, started and healthy unless `start` is false. */
  createContainers: (
    host: BedHost,
    options: ContainerOptions & { start?: boolean },
  ) => Promise<BedContainer[]>;
  /** Every container made so far on a host. */
  containersOf: (host: BedHost) => readonly BedContainer[];
  /** Takes everything away; may be called twice, and while something is still being made. */
  dispose: () => Promise<void>;
}

export const DEFAULT_CACHE_DIRECTORY = '/var/cache/groundswell-bed';

const OVERLAYFS_MAGIC = 0x794c7630;

const requireRoot = async (): Promise<void> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('the test bed needs root on Linux: it makes containers, mounts and links');
  if (await standsInChroot())
    throw new Error(
      'the test bed does not work in a chroot: LXC would leave it and act on the machine around it; use a virtual machine or a container instead',
    );
};

const mountsOfEveryHost = async (
  projectDirectory: string,
  repository: AptRepository,
): Promise<ExtraMount[]> => {
  const nodeModules = '/usr/share/nodejs';
  const shared: ExtraMount[] = [
    { source: repository.directory, target: '/bedrepo', kind: 'directory', readOnly: true },
    { source: process.execPath, target: '/usr/local/bin/node', kind: 'file', readOnly: true },
    { source: projectDirectory, target: '/opt/groundswell', kind: 'directory', readOnly: true },
  ];
  // Debian's own Node keeps part of its built-in modules there.
  if (!(await exists(nodeModules))) return shared;
  return [
    ...shared,
    { source: nodeModules, target: nodeModules, kind: 'directory', readOnly: true },
  ];
};

/**
 * Each root lies in an image, so that it is one file of the machine to make and to delete: an ext4 without a
 * journal takes up to half a minute for the files of a root where those of another one were deleted shortly
 * before, since it looks at each inode that has just become free again and again. Where there are no loop
 * devices a plain directory does, unless it lies on an overlay, which cannot hold the upper layer of another one.
 */
const usualRootImage = async (
  commands: Commands,
  directory: string,
): Promise<{ rootImage?: RootImage }> => {
  const onOverlay = (await statfs(directory)).type === OVERLAYFS_MAGIC;
  return onOverlay || (await canMountImages(commands, directory))
    ? { rootImage: { fileSystem: 'ext4', sizeMegabytes: 4000 } }
    : {};
};

/**
 * Makes an empty bed: what is missing on the machine is installed, what an earlier bed left under
 * the same directory or numbers is cleaned up, a signed repository publishes 1.0-1 of the demo
 * packages. Throws when it is not run by root on Debian or Ubuntu.
 */
export const createBed = async (options: BedOptions): Promise<Bed> => {
  const { directory, hostNumbers, projectDirectory, report = () => undefined } = options;
  const cacheDirectory = options.cacheDirectory ?? DEFAULT_CACHE_DIRECTORY;
  await requireRoot();
  if (!isAbsolute(directory)) throw new Error(`want an absolute bed directory, not ${directory}`);
  const isDnf = options.packages === 'dnf';
  await installOuterPackages(report, isDnf ? RPM_OUTER_PACKAGES : []);
  await claimHostNumbers(hostNumbers, directory, (abandoned) => cleanBed(abandoned, []));
  await cleanBed(directory, hostNumbers);
  const distribution = await readDistribution();
  const more = isDnf ? DNF_ROOT_PACKAGES : [];
  const rootTar = await ensureRootTar(cacheDirectory, distribution, report, more);
  const debs = await ensureDemoPackages(cacheDirectory, projectDirectory);
  await mkdir(directory, { recursive: true });
  const commands = bedCommands(directory);
  const repository = await createAptRepository(directory, commands, distribution);
  const architecture = (await commands.must(['dpkg', '--print-architecture'])).trim();
  const dnf = isDnf
    ? await createDnfPackages(commands, { directory, cacheDirectory, projectDirectory })
    : null;
  const mounts = [
    ...(await mountsOfEveryHost(projectDirectory, repository)),
    ...(dnf === null ? [] : [dnf.mount]),
  ];
  const rootImage =
    options.roots === 'directories' ? {} : await usualRootImage(commands, directory);
  const containers = new Map<number, BedContainer[]>();

  const publish: Bed['publish'] = async (versions) => {
    if (dnf !== null) return dnf.publish(versions);
    const paths = DEMO_PACKAGES.flatMap((name) => {
      const version = versions[name];
      const arch = name === 'gs-demo-data' ? 'all' : architecture;
      return version === undefined ? [] : [join(debs, `${name}_${version}_${arch}.deb`)];
    });
    await repository.publish(paths);
  };
  const first = DEMO_VERSIONS[0];
  if (dnf === null) await publish(Object.fromEntries(DEMO_PACKAGES.map((name) => [name, first])));

  const unfinished: Promise<unknown>[] = [];
  const createHost: Bed['createHost'] = async (hostOptions) => {
    if (!hostNumbers.includes(hostOptions.number))
      throw new Error(`host number ${hostOptions.number} is none of this bed's`);
    const host = await prepareHost(
      { bedDirectory: directory, rootTar, repository, mounts },
      { ...rootImage, ...hostOptions },
    );
    await dnf?.prepareRoot(host.rootDirectory);
    await host.start();
    if (dnf !== null) {
      await dnf.install(host);
      return host;
    }
    await host.must(['apt-get', '-q', 'update']);
    const wanted = DEMO_PACKAGES.map((name) => `${name}=${first}`);
    await host.must(['apt-get', '-qy', '--allow-downgrades', 'install', ...wanted]);
    return host;
  };

  return {
    directory,
    hostNumbers,
    commands,
    repository,
    dnf,
    publish,
    createHost: (hostOptions) => {
      const making = createHost(hostOptions);
      unfinished.push(making);
      return making;
    },
    createContainers: async (host, { start = true, ...wanted }) => {
      const existing = containers.get(host.number) ?? [];
      const made = await writeContainers(host, existing, wanted);
      containers.set(host.number, [...existing, ...made]);
      if (start) {
        await startContainers(made);
        await waitUntilHealthy(made);
      }
      return made;
    },
    containersOf: (host) => containers.get(host.number) ?? [],
    dispose: async () => {
      await cleanBed(directory, hostNumbers);
      // A host that was just being made has lost its commands and fails now; take its rest too.
      await Promise.allSettled(unfinished);
      await cleanBed(directory, hostNumbers);
      await releaseHostNumbers(hostNumbers, directory);
    },
  };
};
