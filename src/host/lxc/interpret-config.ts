import type { ConfigEntry } from './parse-config.ts';

/** What Groundswell reads out of a container's configuration. */
export interface ConfigMeaning {
  /** Value of `lxc.rootfs.path`, or of `lxc.rootfs` before LXC 3. */
  rootfs: string | null;
  groups: string[];
  /** Every IPv4 address, without prefix length. */
  addresses: string[];
  /** Name in the container of its first network device, `lxc.net.0`. */
  firstInterface: string;
  autostart: boolean;
  /** Keys of LXC before 3, which today's LXC refuses; lxc-update-config(1) rewrites them. */
  oldKeys: string[];
}

/** Keys that LXC 3 dropped, doc/lxc-update-config of its sources. */
const OLD_KEYS = new Set([
  'lxc.rootfs',
  'lxc.rootfs.backend',
  'lxc.utsname',
  'lxc.tty',
  'lxc.pts',
  'lxc.devttydir',
  'lxc.mount',
  'lxc.aa_profile',
  'lxc.aa_allow_incomplete',
  'lxc.se_context',
  'lxc.id_map',
  'lxc.init_cmd',
  'lxc.init_uid',
  'lxc.init_gid',
  'lxc.seccomp',
  'lxc.haltsignal',
  'lxc.rebootsignal',
  'lxc.stopsignal',
  'lxc.console',
  'lxc.kmsg',
  'lxc.loglevel',
  'lxc.logfile',
  'lxc.syslog',
]);

const isOldKey = (key: string): boolean =>
  OLD_KEYS.has(key) || /^lxc\.(network|limit)(\.|$)/.test(key);

/** What LXC calls the first one that it was given no name for. */
const usualInterface = 'eth0';

const IPV4_KEY = /^lxc\.(?:net\.\d+\.ipv4\.address|network(?:\.\d+)?\.ipv4)$/;

/** `10.0.3.7/24` or `10.0.3.7/24 10.0.3.255` (with broadcast) → `10.0.3.7`. */
const addressOf = (value: string): string | null =>
  /^(\d{1,3}(?:\.\d{1,3}){3})(?:[/ ].*)?$/.exec(value)?.[1] ?? null;

/** Puts entries together as LXC does: a later value wins, lists grow, an empty value clears. */
export const interpretConfig = (entries: readonly ConfigEntry[]): ConfigMeaning => {
  const addresses = new Map<string, string[]>();
  const oldKeys = new Set<string>();
  const meaning: ConfigMeaning = {
    rootfs: null,
    groups: [],
    addresses: [],
    firstInterface: usualInterface,
    autostart: false,
    oldKeys: [],
  };
  for (const { key, value } of entries) {
    if (isOldKey(key)) oldKeys.add(key);
    if (key === 'lxc.rootfs.path' || key === 'lxc.rootfs')
      meaning.rootfs = value === '' ? null : value;
    else if (key === 'lxc.group') meaning.groups = value === '' ? [] : [...meaning.groups, value];
    else if (key === 'lxc.net.0.name') meaning.firstInterface = value || usualInterface;
    else if (key === 'lxc.start.auto') meaning.autostart = value === '1';
    else if (IPV4_KEY.test(key)) {
      const address = addressOf(value);
      const known = addresses.get(key) ?? [];
      addresses.set(key, address === null ? [] : [...known, address]);
    }
  }
  return { ...meaning, addresses: [...addresses.values()].flat(), oldKeys: [...oldKeys] };
};
