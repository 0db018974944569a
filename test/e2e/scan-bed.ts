import { posix } from 'node:path';
import { expect } from '@jest/globals';
import type { ContainerScan } from '../../src/core/observation.ts';
import type { HostScan } from '../../src/host/proc/scan-host.ts';
import type { BedHost } from '../bed/host.ts';
import type { HostProcess } from '../bed/host-process.ts';
import { waitUntil } from '../bed/wait-until.ts';

export const LOWER = '/var/lib/lxc/host/rootfs';
export const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
export const DEMO = `${LIBRARIES}/libgsdemo.so.1.0.0`;
export const EXTRA = `${LIBRARIES}/libgsextra.so.1.0.0`;
export const NOTES = '/usr/share/gs-demo-data/notes.txt';

const MAPPER = '/usr/local/bin/map-file';

/** Maps files, whatever they hold, and stays: what a service does with its libraries. */
const MAPPER_SOURCE = `#!/usr/bin/python3
import ctypes, mmap, os, sys, threading, time
kept = []
def keep(fd, prot):
    kept.append(mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=prot))
prot = mmap.PROT_READ
thread = False
for arg in sys.argv[1:]:
    if arg == '--exec': prot |= mmap.PROT_EXEC
    elif arg == '--thread': thread = True
    elif arg == '--memfd':
        fd = os.memfd_create('code'); os.write(fd, b'x' * 4096); keep(fd, prot)
    elif arg.startswith('--delete='): os.unlink(arg[9:])
    else: keep(os.open(arg, os.O_RDONLY), prot)
print('ready', flush=True)
if thread:
    threading.Thread(target=lambda: time.sleep(3600)).start()
    ctypes.CDLL(None).pthread_exit(None)
time.sleep(3600)
`;

export const installMapper = (host: BedHost): Promise<void> =>
  host.writeFile(MAPPER, MAPPER_SOURCE, 0o755);

const whenReady = async (program: HostProcess): Promise<HostProcess> => {
  await waitUntil('the mapping program to be ready', () => program.stdout().includes('ready'), {
    deadlineMs: 15_000,
  });
  return program;
};

/** Runs the mapping program in a container, or on the host itself for `null`. */
export const mapFiles = async (
  host: BedHost,
  container: string | null,
  args: readonly string[],
  around: readonly string[] = [],
): Promise<HostProcess> =>
  whenReady(
    await host.spawn([
      ...(container === null ? [] : ['lxc-attach', '-n', container, '--']),
      ...[...around, MAPPER, ...args],
    ]),
  );

export const inContainer = (host: BedHost, name: string, script: string): Promise<string> =>
  host.must(['lxc-attach', '-n', name, '--', 'sh', '-ec', script]);

/** Runs the scan in the host, on its own procfs, as the agent would. */
export const scan = async <T = HostScan>(
  host: BedHost,
  args: readonly string[] = ['host'],
  around: readonly string[] = [],
  timeoutMs = 60_000,
): Promise<T> =>
  JSON.parse(
    await host.must(
      [...around, ...['node', '/opt/groundswell/dist/test/e2e/scan.child.js', ...args]],
      { timeoutMs },
    ),
  ) as T;

/** Of earlier scans by their containers' names: whether anything that they found stale still is. */
export const stillStale = (
  host: BedHost,
  earlier: Readonly<Record<string, ContainerScan>>,
): Promise<Record<string, boolean>> => scan(host, ['still', JSON.stringify(earlier)]);

export const of = ({ containers }: HostScan, name: string): ContainerScan => {
  const found = containers.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the scan has no ${name}`);
  return found;
};

/** What is stale in a container, each file once: `path kind`. */
export const staleIn = (container: ContainerScan): string[] =>
  [...new Set(container.stale.map(({ path, kind }) => `${path} ${kind}`))].sort();

export const shadowedIn = (container: ContainerScan): string[] =>
  container.shadowed.map(({ path, kind }) => `${path} ${kind}`).sort();

export const expectClean = (container: ContainerScan): void => {
  const { stale, shadowed, unreadable } = container;
  expect({ stale, shadowed, unreadable }).toEqual({ stale: [], shadowed: [], unreadable: [] });
};

/**
 * Whether LXC here mounts overlays with options of theirs: 5.0.0 makes room for one byte too few, and starts no
 * container that has them in its configuration.
 */
const takesOverlayOptions = async (host: BedHost): Promise<boolean> => {
  const directory = '/var/lib/lxc/with-options';
  const config = [
    `lxc.rootfs.path = overlay:${LOWER}:${directory}/delta0`,
    'lxc.rootfs.options = redirect_dir=on',
    'lxc.init.cmd = /usr/bin/sleep infinity',
    'lxc.apparmor.profile = unconfined',
    'lxc.net.0.type = empty',
    '',
  ];
  await host.writeFile(`${directory}/config`, config.join('\n'));
  const { exitCode } = await host.run(['lxc-start', '-n', 'with-options']);
  await host.run(['lxc-stop', '-k', '-n', 'with-options']);
  await host.must(['rm', '-r', directory]);
  return exitCode === 0;
};

/**
 * Lines for a container whose overlay has `options` and its upper layer at `upper`. Where LXC has no room for them,
 * they stand in the name of a link to it, which the kernel is given between others of the kind.
 */
export const overlayWith = async (
  host: BedHost,
  upper: string,
  options: string,
): Promise<string[]> => {
  await host.must(['mkdir', '-p', upper]);
  if (await takesOverlayOptions(host))
    return [`lxc.rootfs.path = overlay:${LOWER}:${upper}`, `lxc.rootfs.options = ${options}`];
  const link = `${upper},${options}`;
  await host.must(['ln', '-s', posix.basename(upper), link]);
  return [`lxc.rootfs.path = overlay:${LOWER}:${link}`];
};

/** The newest versions that the bed's repository has. */
export const upgrade = async (host: BedHost): Promise<void> => {
  await host.must(['apt-get', '-q', 'update']);
  await host.must(['apt-get', '-qy', 'upgrade']);
};

export const restart = async (host: BedHost, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    await host.run(['lxc-stop', '-k', '-n', name]);
    await host.must(['lxc-start', '-n', name]);
    const running = async (): Promise<boolean> =>
      (await host.run(['lxc-info', '-n', name, '-sH'])).stdout.trim() === 'RUNNING';
    await waitUntil(`${name} to run`, running, { deadlineMs: 10_000 });
  }
};
