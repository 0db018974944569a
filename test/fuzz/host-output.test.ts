import { z } from 'zod';
import { parseRpmList } from '../../src/core/advisories/parse-rpm-list.ts';
import { parseMountinfo } from '../../src/core/stale/parse-mountinfo.ts';
import { nameFailure as nameAptFailure } from '../../src/host/apt/name-failure.ts';
import { parseDpkgStatus, presentPackages } from '../../src/host/apt/parse-dpkg-status.ts';
import { parseFileOrigins, parseOrigins } from '../../src/host/apt/parse-origins.ts';
import { parsePackagesIndex } from '../../src/host/apt/parse-packages-index.ts';
import {
  parseChannels,
  parsePolicy,
  parseSecuritySources,
} from '../../src/host/apt/parse-policy.ts';
import { parseSimulation } from '../../src/host/apt/parse-simulation.ts';
import { parseSecurityTargets, suitesOf } from '../../src/host/apt/read-security-suites.ts';
import { nameFailure as nameDnfFailure } from '../../src/host/dnf/name-failure.ts';
import { parseGroup } from '../../src/host/dnf/parse-group.ts';
import {
  parseAdvisoryList,
  parseCheckUpdate,
  parseOffers,
  parseRepositoryIds,
} from '../../src/host/dnf/parse-offers.ts';
import { parseRpmPackages } from '../../src/host/dnf/parse-rpm-packages.ts';
import { parseTransaction } from '../../src/host/dnf/parse-transaction.ts';
import { parseVersionLocks } from '../../src/host/dnf/parse-versionlock.ts';
import { parseInfo } from '../../src/host/lxc/ask-monitor.ts';
import { overlayLayers } from '../../src/host/lxc/classify-root.ts';
import { interpretConfig } from '../../src/host/lxc/interpret-config.ts';
import { firstAddress } from '../../src/host/lxc/network-addresses.ts';
import { parseConfig } from '../../src/host/lxc/parse-config.ts';
import { parseProcessStat } from '../../src/host/lxc/process-stat.ts';
import { parseCgroupDirectories } from '../../src/host/packages/cgroup-directories.ts';
import { parseProcLocks } from '../../src/host/packages/lock-holders.ts';
import { SecuritySuite } from '../../src/core/advisories/security-suite.ts';
import { testInputs } from './inputs.ts';
import type { Input } from './inputs.ts';

const word = z.string().min(1);
const finite = z.int();
const installed = z.array(
  z.object({ name: word, arch: z.string(), version: z.string(), source: word }),
);
const failure = z.object({ kind: word, message: word, remedy: word });
const row = z.array(z.object({ name: word, arch: z.string(), version: z.string() }));
const apt = (...names: string[]): string[] => names.map((name) => `apt/apt-get-${name}.txt`);
const dnf = (...names: string[]): string[] => names.map((name) => `dnf/${name}.txt`);
const offer = { name: 'openssl', arch: 'x86_64', version: '1:3.0.7-2.el9' };

/** What tools and kernel say of a host. */
const inputs: Record<string, Input> = {
  'status of dpkg': {
    samples: ['apt/status-half-configured.txt', 'apt/status.after.gz'],
    read: (text) => {
      const all = parseDpkgStatus(text, '/var/lib/dpkg/status');
      return [...all, ...presentPackages(all)];
    },
    form: installed,
  },
  'apt-get -s': {
    samples: apt('s-upgrade', 's-dist-upgrade', 's-upgrade.with-broken', 's-upgrade.with-hold'),
    read: parseSimulation,
    form: z.object({
      installs: z.array(z.object({ name: word, arch: word, to: word, origins: z.array(word) })),
      removes: z.array(z.object({ name: word })),
      configures: z.array(word),
      keptBack: z.array(word),
    }),
  },
  'apt-cache policy': {
    samples: ['apt/apt-cache-policy.txt'],
    read: (text) => parsePolicy(text, parseSecuritySources(text)),
    form: z.array(
      z.object({ name: word, versions: z.array(z.object({ version: word, priority: finite })) }),
    ),
  },
  'origins of apt': {
    samples: ['apt/apt-cache-policy.txt'],
    read: (text) => [
      parseChannels(text),
      [...parseOrigins(text, parseFileOrigins(text)).keys()],
      [...parseFileOrigins(text).keys()],
    ],
    form: z.array(z.array(word)),
  },
  'apt that fails': {
    samples: apt(
      'install-failing-postinst',
      'install-held-refused',
      'lock-held',
      'no-such-version',
    ),
    read: (text) => nameAptFailure(text, 100),
    form: failure,
  },
  'apt-get indextargets': {
    samples: ['platforms/indextargets-debian-12.txt', 'platforms/indextargets-ubuntu-24.04.txt'],
    read: (text) => suitesOf(parseSecurityTargets(text), '/nowhere'),
    form: z.array(SecuritySuite),
  },
  'Packages of an archive': {
    samples: ['platforms/debian-12-Packages.gz'],
    read: parsePackagesIndex,
    form: z.array(
      z.object({
        name: z.string(),
        depends: z.array(z.array(word).min(1)),
        provides: z.array(word),
      }),
    ),
  },
  'what dnf would do': {
    samples: dnf('dnf4-assumeno', 'dnf4-assumeno-erasing', 'dnf5-assumeno', 'dnf5-kernel'),
    read: parseTransaction,
    form: z.record(z.string(), row),
  },
  'dnf that fails': {
    samples: dnf('dnf4-conflict', 'dnf4-upgrade-disk-full', 'dnf5-conflict', 'dnf5-rpm-lock'),
    read: (text) => nameDnfFailure(text, 1),
    form: failure,
  },
  'what dnf offers': {
    samples: dnf('dnf4-repoquery', 'dnf5-repoquery'),
    read: parseOffers,
    form: installed,
  },
  'advisories of dnf 4': {
    samples: dnf('dnf4-advisories'),
    read: (text) => parseAdvisoryList(text, 4),
    form: z.array(z.object({ id: word, name: word, version: word })),
  },
  'advisories of dnf 5': {
    samples: dnf('dnf5-advisories'),
    read: (text) => parseAdvisoryList(text, 5),
    form: z.array(z.object({ id: z.string(), name: word, version: word })),
  },
  'check-update': {
    samples: dnf('dnf4-check-update', 'dnf5-check-update', 'dnf4-obsoletes'),
    read: (text) => [...parseCheckUpdate(text)],
    form: z.array(z.tuple([word, word])),
  },
  'groups and repositories of dnf': {
    samples: dnf('dnf4-group-info-core', 'dnf5-group-info-core', 'dnf4-repolist', 'dnf5-repolist'),
    read: (text) => {
      const group = parseGroup(text);
      return [...parseRepositoryIds(text), ...(group?.mandatory ?? []), ...(group?.default ?? [])];
    },
    form: z.array(word),
  },
  versionlock: {
    samples: dnf('dnf4-versionlock-list', 'dnf5-versionlock-list'),
    read: (text) => [parseVersionLocks(text, 4)(offer), parseVersionLocks(text, 5)(offer)],
    form: z.array(z.boolean()),
  },
  'rpm -qa': {
    samples: ['dnf/rpm-qa.tsv'],
    read: (text) => [...parseRpmPackages(text), ...parseRpmList(text)],
    form: z.array(z.object({ name: word, version: word })),
  },
  'configuration of LXC': {
    samples: [
      ...['bed-web', 'lxc-create-dir', 'made-by-groundswell', 'odd-writing', 'old-form'],
    ].map((name) => `lxc/${name}.conf`),
    read: (text) => {
      const meaning = interpretConfig(parseConfig(text));
      return { ...meaning, layers: overlayLayers(meaning.rootfs ?? '') };
    },
    form: z.object({
      rootfs: word.nullable(),
      groups: z.array(word),
      addresses: z.array(z.ipv4()),
      firstInterface: word,
      layers: z
        .object({ lower: z.string().regex(/^\//), upper: z.string().regex(/^\//) })
        .nullable(),
    }),
  },
  'lxc-info': {
    samples: [
      Buffer.from('State:          RUNNING\nPID:            1234\n'),
      Buffer.from('FROZEN\n99\n'),
    ],
    read: parseInfo,
    form: z.object({ state: word, pid: finite.nullable() }).nullable(),
  },
  'stat of a process': {
    samples: [
      Buffer.from(
        '812 (a) b\n) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 18446744073709551615\n',
      ),
    ],
    read: parseProcessStat,
    form: z.object({ state: word, parent: finite, startTime: word }).nullable(),
  },
  mountinfo: {
    samples: ['proc/mountinfo-host.txt', 'proc/mountinfo-container.txt'],
    read: (text) => [
      parseCgroupDirectories(text, 'a'),
      parseMountinfo(text).map(({ point }) => point),
    ],
    form: z.array(z.array(z.string())),
  },
  '/proc/locks': {
    samples: [Buffer.from('1: POSIX  ADVISORY  WRITE 287 fe:00:391 0 EOF\n')],
    read: (text) => [...parseProcLocks(text)],
    form: z.array(z.tuple([z.string().regex(/^\d+:\d+:\d+$/), finite])),
  },
  'addresses of a container': {
    samples: [
      Buffer.from(
        'fe800000000000000216 02 40 20 80 eth0\n20010db8000000000000000000000007 02 40 00 80 eth0\n',
      ),
    ],
    read: (text) => firstAddress({ fibTrie: text, route: text, inet6: text }, 'eth0'),
    form: word.nullable(),
  },
};

testInputs(inputs);
