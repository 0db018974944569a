import { membershipOf } from '../../../core/membership.ts';
import type { ServiceSettings } from '../../../core/service-settings.ts';
import type { AppArmor } from '../../../host/lxc/apparmor.ts';
import { rewriteOldForm } from '../../../host/lxc/old-form.ts';
import type { ConfigEntry } from '../../../host/lxc/parse-config.ts';
import type { RuntimeContainer } from '../../../host/runtime.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck, Finding } from '../doctor.ts';

export interface ExaminedContainer extends Pick<RuntimeContainer, 'name' | 'root' | 'groups'> {
  configPath: string;
  /** It is down, so that what lies in its upper layer can be changed. */
  down: boolean;
  /** Its configuration, includes in their place. */
  entries: readonly ConfigEntry[];
}

export interface ContainerCheckOptions {
  containers: () => Promise<ExaminedContainer[]>;
  /** Private directories of the host that containers can look into. */
  unhidden: () => Promise<{ name: string; paths: string[] }[]>;
  appArmor: () => Promise<AppArmor>;
  /** The services of this host's configuration, and what it is called in them; throws where it has no fit name. */
  services: readonly Pick<ServiceSettings, 'name' | 'match'>[];
  hostId: () => string;
}

/** `a, b, c and 4 more`. */
const some = (names: readonly string[]): string =>
  names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

/** Numbers of the network devices that get a new hardware address at every start. */
export const devicesWithoutHwaddr = (entries: readonly ConfigEntry[]): string[] => {
  const devices = new Map<string, { type: string; hwaddr: string }>();
  for (const { key, value } of entries) {
    const [, device, option] = /^lxc\.net\.(\d+)\.(type|hwaddr)$/.exec(key) ?? [];
    if (device === undefined || option === undefined) continue;
    const known = devices.get(device) ?? { type: '', hwaddr: '' };
    devices.set(device, { ...known, [option]: value });
  }
  // An address with x in it is made up anew by LXC, lxc.container.conf(5).
  return [...devices]
    .filter(([, { type, hwaddr }]) => type === 'veth' && (hwaddr === '' || /x/i.test(hwaddr)))
    .map(([device]) => device);
};

const isOnHostRoot = ({ root }: ExaminedContainer): boolean => root.kind !== 'other';

const lowerCheck = (options: ContainerCheckOptions): DoctorCheck => ({
  name: 'lower layer',
  run: async () => {
    const containers = await options.containers();
    const ours = containers.filter(isOnHostRoot);
    const findings: Finding[] = [];
    const unmounted = containers.flatMap(({ name, root }) =>
      root.kind === 'other' && /nothing is mounted there|does not exist/.test(root.describe)
        ? [`${name} (${root.describe})`]
        : [],
    );
    if (ours.length > 0) findings.push(ok(`${ours.length} containers are on the host’s root`));
    else
      findings.push(
        warn(
          'no container is on the host’s root: there is nothing to restart here',
          'make some with `groundswell container create`, or mount the host’s root where they expect it',
        ),
      );
    if (unmounted.length > 0)
      findings.push(
        warn(
          `left alone: ${some(unmounted)}`,
          'if that is meant to be the host’s root: mount --bind / on it, at every boot',
        ),
      );
    const old = ours.filter(({ root }) => root.kind === 'host-overlay-old-keys');
    const [first] = old;
    if (first !== undefined)
      findings.push(
        warn(
          `${some(old.map(({ name }) => name))}: keys of LXC before 3 (lxc.rootfs, lxc.network): left alone, and today’s LXC does not start ${old.length === 1 ? 'it' : 'them'}`,
          `${rewriteOldForm(first.configPath)}${old.length === 1 ? '' : ' (and so for each)'}`,
        ),
      );
    return findings;
  },
});

const hwaddrCheck = (options: ContainerCheckOptions): DoctorCheck => ({
  name: 'hwaddr',
  run: async () => {
    const without = (await options.containers())
      .filter(isOnHostRoot)
      .filter(({ entries }) => devicesWithoutHwaddr(entries).length > 0)
      .map(({ name }) => name);
    return [
      without.length === 0
        ? ok('every container keeps its hardware address over a restart')
        : warn(
            `${some(without)}: a new hardware address at every start, so unreachable for up to half a minute after it`,
            'set lxc.net.N.hwaddr in the configuration, one address for each',
          ),
    ];
  },
});

const hideRemedy = (container: ExaminedContainer | undefined): string => {
  if (container?.down === true) return 'groundswell container hide CONTAINER';
  if (container?.root.kind === 'host-overlay-old-keys')
    return 'nothing restarts it in the old form: rewrite its configuration (see lower layer), then groundswell restart CONTAINER; or stop it, and groundswell container hide CONTAINER';
  return 'hidden at the next restart by Groundswell; at once: groundswell restart CONTAINER';
};

const hiddenCheck = (options: ContainerCheckOptions): DoctorCheck => ({
  name: 'hidden',
  run: async () => {
    const known = new Map((await options.containers()).map((one) => [one.name, one]));
    // Most often all can read the same, and are mended in the same way: one finding for each such set.
    const open = new Map<string, { paths: string; remedy: string; names: string[] }>();
    for (const { name, paths: each } of await options.unhidden()) {
      const paths = each.join(' ');
      const remedy = hideRemedy(known.get(name));
      const finding = open.get(`${remedy} ${paths}`) ?? { paths, remedy, names: [] };
      finding.names.push(name);
      open.set(`${remedy} ${paths}`, finding);
    }
    if (open.size === 0) return [ok('no container can look into private directories of the host')];
    return [...open.values()].map(({ paths, remedy, names }) =>
      fail(`${some(names)} can read ${paths} of the host`, remedy),
    );
  },
});

/** R18: the globs of a configuration may overlap; whether they do for a container shows when there is one. */
const serviceCheck = (options: ContainerCheckOptions): DoctorCheck => ({
  name: 'services',
  run: async () => {
    const { services } = options;
    const hostId = options.hostId();
    const conflicts = (await options.containers()).filter(isOnHostRoot).flatMap((container) => {
      const { name, groups } = container;
      const membership = membershipOf(services, { hostId, name, groups });
      return membership.kind === 'conflict' ? [{ name, services: membership.services }] : [];
    });
    if (conflicts.length === 0) return [ok('no container is claimed by several services')];
    const between = new Map<string, string[]>();
    for (const { name, services } of conflicts) {
      const claimants = services.join(' and ');
      between.set(claimants, [...(between.get(claimants) ?? []), name]);
    }
    return [...between].map(([claimants, names]) =>
      fail(
        `${some(names)}: claimed by the services ${claimants}, and so restarted for none`,
        'change their `match` so that only one claims a container',
      ),
    );
  },
});

const wantsProfile = ({ entries }: ExaminedContainer): boolean =>
  entries.some(({ key, value }) => key === 'lxc.apparmor.profile' && value === 'generated');

const appArmorCheck = (options: ContainerCheckOptions): DoctorCheck => ({
  name: 'apparmor',
  run: async () => {
    const found = await options.appArmor();
    if (found === 'off') return [ok('the kernel does not use AppArmor')];
    if (found === 'complete') return [ok('LXC can load AppArmor profiles')];
    const missing = 'the kernel uses AppArmor, but there is no apparmor_parser: LXC cannot load';
    const remedy = 'apt-get install apparmor';
    const names = (await options.containers())
      .filter((one) => isOnHostRoot(one) && wantsProfile(one))
      .map(({ name }) => name);
    return [
      names.length > 0
        ? fail(
            `${missing} the profiles that it generates, and does not start ${some(names)}`,
            remedy,
          )
        : warn(`${missing} profiles, and does not start containers that want one`, remedy),
    ];
  },
});

/** What containers must have so that restarting them goes well. */
export const containerChecks = (options: ContainerCheckOptions): DoctorCheck[] => {
  // One listing for all checks.
  let listed: Promise<ExaminedContainer[]> | null = null;
  const once = { ...options, containers: () => (listed ??= options.containers()) };
  return [
    lowerCheck(once),
    hwaddrCheck(once),
    hiddenCheck(once),
    serviceCheck(once),
    appArmorCheck(once),
  ];
};
