import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packagedPathsOf } from '../../../src/core/stale/packaged-paths.ts';
import type { ContainerScan } from '../../../src/core/observation.ts';
import type { OverlayXattrs } from '../../../src/host/proc/overlay-xattrs.ts';
import { beginHostScan } from '../../../src/host/proc/scan-host.ts';
import type { HostScan } from '../../../src/host/proc/scan-host.ts';
import { createScanMemory } from '../../../src/host/proc/scan-surroundings.ts';
import type { ScanOptions } from '../../../src/host/proc/scan-surroundings.ts';

export const unmarked: OverlayXattrs = {
  ...{ opaque: null, redirect: null, metacopy: false, whiteout: false },
};

/** One line of `maps`; what is mapped lies on the overlay unless a device says otherwise. */
export const mapped = (
  path: string,
  { inode = 10, device = '00:2e', range = '7f00-7f01', mode = 'r-xp' } = {},
): string => `${range} ${mode} 00000000 ${device} ${inode}                 ${path}\n`;

export interface MadeUpProcess {
  pid: number;
  container: string | null;
  parent?: number;
  command?: string;
  maps?: string;
  /** What the ranges of `maps` open. */
  mapFiles?: Record<string, string>;
  mountinfo?: string;
  namespace?: string;
  cmdline?: string;
  exe?: string;
  uid?: number;
  /** Its numbers in the pid namespaces below the host's; default: one where it is in a container. */
  below?: string;
  children?: number[];
}

const OVERLAY = '30 1 0:46 / / rw - overlay overlay rw\n';

/** A host made of files: its process table, and for each container the two layers of its root. */
export interface MadeUpHost {
  top: string;
  put: (path: string, text?: string) => string;
  run: (process: MadeUpProcess) => void;
  scan: (
    names: readonly string[],
    options?: Partial<ScanOptions>,
    packages?: readonly string[],
  ) => HostScan;
  scanOf: (name: string, scan: HostScan) => ContainerScan;
  remove: () => void;
}

export const madeUpHost = (): MadeUpHost => {
  const top = mkdtempSync(join(tmpdir(), 'gs-made-up-'));
  const put = (path: string, text = path): string => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
    return join(top, path);
  };
  mkdirSync(join(top, 'lower'));
  put('proc/self/mountinfo', '20 1 254:0 / / rw - ext4 /dev/vda rw\n');
  put('proc/self/cgroup', '0::/system.slice/groundswell.service\n');
  mkdirSync(join(top, 'proc/self/ns'));
  symlinkSync('mnt:[1]', join(top, 'proc/self/ns/mnt'));
  const rest = '1 1 0 -1 4194560 84 0 0 0 0 0 0 0 20 0 2 0 397259 11018240 423';
  return {
    top,
    put,
    run: (one) => {
      const { pid, container, parent = 1, command = 'app', cmdline = command } = one;
      const directory = `proc/${pid}`;
      const cgroup = container === null ? '/init.scope' : `/lxc.payload.${container}`;
      const below = one.below ?? (container === null ? '' : '7');
      const uid = String(one.uid ?? 0);
      put(`${directory}/cgroup`, `0::${cgroup}\n`);
      put(`${directory}/stat`, `${pid} (${command}) S ${parent} ${rest}\n`);
      put(`${directory}/status`, `Uid:\t${uid}\t0\t0\t0\nNSpid:\t${`${pid} ${below}`.trim()}\n`);
      put(`${directory}/task/${pid}/children`, (one.children ?? []).join(' '));
      put(`${directory}/cmdline`, `${cmdline}\0`);
      put(`${directory}/maps`, one.maps ?? mapped('/usr/lib/other'));
      put(`${directory}/mountinfo`, one.mountinfo ?? OVERLAY);
      mkdirSync(join(top, directory, 'map_files'));
      for (const [range, target] of Object.entries(one.mapFiles ?? {}))
        symlinkSync(target, join(top, directory, 'map_files', range));
      mkdirSync(join(top, directory, 'ns'));
      const namespace = one.namespace ?? `mnt:[${container ?? 1}]`;
      symlinkSync(namespace, join(top, directory, 'ns/mnt'));
      if (one.exe !== undefined) symlinkSync(one.exe, join(top, directory, 'exe'));
    },
    scan: (names, options = {}, packages = []) => {
      const packaged = packagedPathsOf({
        lists: [{ package: 'p', paths: packages }],
        ...{ conffiles: new Set(), diversions: [], aliases: new Map(), versions: new Map() },
      });
      for (const name of names) mkdirSync(join(top, name), { recursive: true });
      return beginHostScan({
        containers: names.map((name) => ({
          name,
          lower: join(top, 'lower'),
          upper: join(top, name),
        })),
        procRoot: join(top, 'proc'),
        packagedPaths: () => packaged,
        memory: {
          ...createScanMemory(),
          xattrs: { prefetch: () => undefined, read: () => unmarked },
        },
        ...options,
      }).finish();
    },
    scanOf: (name, scan) => {
      const found = scan.containers.find((one) => one.name === name);
      if (found === undefined) throw new Error(`${name} was not scanned`);
      return found;
    },
    remove: () => {
      rmSync(top, { recursive: true });
    },
  };
};
