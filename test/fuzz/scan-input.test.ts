import { z } from 'zod';
import {
  labelNames,
  lxcCgroup,
  ownContainerPrefix,
  unitOf,
} from '../../src/core/stale/parse-cgroup.ts';
import {
  packagedPathsOf,
  parseConffiles,
  parseDiversions,
} from '../../src/core/stale/packaged-paths.ts';
import { parseMaps, sameInode } from '../../src/core/stale/parse-maps.ts';
import { mountOf, parseMountinfo } from '../../src/core/stale/parse-mountinfo.ts';
import { parseStatus } from '../../src/core/stale/parse-stat.ts';
import { parseSources } from '../../src/host/apt/read-offers.ts';
import { parseServersState, parseStat } from '../../src/host/drain/parse-haproxy.ts';
import { parseInfo } from '../../src/host/lxc/ask-monitor.ts';
import { parseFileLists } from '../../src/host/proc/rpm-paths.ts';
import { testInputs } from './inputs.ts';
import type { Input } from './inputs.ts';

const word = z.string().min(1);
const finite = z.int();
const path = z.string().regex(/^\//);
const info = z.object({ state: word, pid: finite.nullable() }).nullable();

/** What the scan and the load balancer go by. */
const inputs: Record<string, Input> = {
  'stat of a process, for the scan': {
    samples: ['hosts/v1/proc/443/stat', 'hosts/v1/proc/2/stat'],
    read: parseStatus,
    form: z
      .object({
        command: z.string(),
        state: word,
        parent: finite,
        startTime: z.string().regex(/^\d+$/),
      })
      .nullable(),
  },
  'cgroup of a process': {
    samples: ['v1/proc/444', 'v2/proc/421', 'hybrid/proc/178'].map(
      (place) => `hosts/${place}/cgroup`,
    ),
    read: (text) => ({
      lxc: lxcCgroup(text, ownContainerPrefix(text)),
      names: labelNames(lxcCgroup(text)?.label ?? 'a'),
      unit: unitOf(text),
    }),
    form: z.object({
      lxc: z.object({ role: word, label: word }).nullable(),
      names: z.array(word).min(1),
      unit: word.nullable(),
    }),
  },
  maps: {
    samples: ['container', 'host-deleted', 'xino'].map((name) => `proc/maps-${name}.txt`),
    read: (text) => parseMaps(text).map((one) => ({ ...one, is: sameInode(one.inode, '1742135') })),
    form: z.array(
      z.object({
        device: z.string().regex(/^\d+:\d+$/),
        inode: z.string().regex(/^\d+$/),
        text: path,
        range: word,
      }),
    ),
  },
  'show servers state of HAProxy': {
    samples: ['haproxy/show-servers-state.txt'],
    read: parseServersState,
    form: z.array(
      z.object({ backendId: finite, backend: z.string(), serverId: finite, admin: finite }),
    ),
  },
  'show stat of HAProxy': {
    samples: ['haproxy/show-stat.txt'],
    read: parseStat,
    form: z.array(z.object({ server: z.string(), sessions: finite, queued: finite })),
  },
  'apt-cache show': {
    samples: ['platforms/debian-12-Packages.gz'],
    read: (text) => [...parseSources(text)],
    form: z.array(z.tuple([word, z.object({ source: word, sourceVersion: z.string() })])),
  },
  'lists of dpkg': {
    samples: [
      Buffer.from('/.\n/etc\n/etc/x.conf\n/usr\n/usr/lib\n/usr/lib/libx.so.1\n'),
      Buffer.from('/usr/bin/x\n/usr/bin/x.distrib\n:\n/usr/lib/y\n/usr/lib/y.real\nx\n'),
    ],
    read: (text) => {
      const paths = packagedPathsOf({
        lists: [{ package: 'x', paths: text.split('\n') }],
        ...{ conffiles: new Set(parseConffiles(text)), diversions: parseDiversions(text) },
        ...{ aliases: new Map([['/lib', '/usr/lib']]), versions: new Map() },
      });
      return [...paths.below('/'), ...paths.inDirectory('/usr/lib')];
    },
    form: z.array(path),
  },
  'files of rpm': {
    samples: [
      Buffer.from(
        'bash\t0:5.1-2.el9\t\t/usr/bin/bash\nbash\t0:5.1-2.el9\tcn\t/etc/skel/.bashrc\nx\t1:1-1\tg\t/run/x\n',
      ),
    ],
    read: (text) => {
      const { lists, configuration } = parseFileLists(text);
      return [...lists.values(), [...configuration]];
    },
    form: z.array(z.array(path)),
  },
  mounts: {
    samples: ['proc/mountinfo-host.txt', 'proc/mountinfo-container.txt'],
    read: (text) => mountOf(parseMountinfo(text), '/usr/lib/x'),
    form: z
      .object({ point: z.string(), root: z.string(), device: z.string(), options: z.string() })
      .nullable(),
  },
  'lxc-info of recorded hosts': {
    samples: ['v1', 'v2', 'hybrid'].map((kind) => `hosts/${kind}/lxc-info/web-01.txt`),
    read: parseInfo,
    form: info,
  },
};

testInputs(inputs);
