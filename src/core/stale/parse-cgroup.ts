/** What a cgroup says of a process: part of a container, a container's monitor, or neither. */
export interface LxcCgroup {
  role: 'container' | 'monitor';
  /** The cgroup's own word for the container: its name, perhaps with `-1` and so on after it. */
  label: string;
}

/**
 * What LXC calls its cgroups: `lxc.payload.NAME` and `lxc.monitor.NAME` (LXC 4 and later; a later
 * life beside a left-over cgroup gets `NAME-1`), `lxc.payload/NAME` (3.1 to 3.2), `lxc/NAME` before.
 */
const PATTERN = /\/(?:lxc\.(payload|monitor)[./]|lxc\/)([^/]+)/;

/** Paths of a /proc/PID/cgroup text, cgroups(7): `0::/path` on v2, `n:controllers:/path` on v1. */
export const cgroupPaths = (text: string): { controllers: string; path: string }[] =>
  text
    .split('\n')
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ controllers: match[1] ?? '', path: match[2] ?? '' }));

/**
 * Which container a process belongs to, on cgroup v1, hybrid and v2. `ownPaths` are the paths of
 * the reader itself: where it runs in an LXC container without a cgroup namespace, that container
 * stands before each path. The outermost container counts: one in a container is part of it.
 */
export const lxcCgroup = (text: string, ownPrefix = ''): LxcCgroup | null => {
  for (const { path } of cgroupPaths(text)) {
    const own = ownPrefix !== '' && (path === ownPrefix || path.startsWith(`${ownPrefix}/`));
    const match = PATTERN.exec(own ? path.slice(ownPrefix.length) : path);
    const label = match?.[2];
    if (label !== undefined)
      return { role: match?.[1] === 'monitor' ? 'monitor' : 'container', label };
  }
  return null;
};

/**
 * The cgroup that LXC made for a container of this name, or for its monitor, out of the path of a process that is in it or
 * further down; null: none.
 */
export const lxcCgroupOf = (
  path: string,
  name: string,
  role: 'payload' | 'monitor',
): string | null => {
  for (const { 0: found, 1: kind, 2: label = '', index } of path.matchAll(new RegExp(PATTERN, 'g')))
    if (kind === role && labelNames(label).includes(name))
      return path.slice(0, index + found.length);
  return null;
};

/** The cgroup of the innermost LXC container around the reader, or '' outside of one. */
export const ownContainerPrefix = (text: string): string => {
  for (const { path } of cgroupPaths(text)) {
    let prefix = '';
    for (
      let match = PATTERN.exec(path);
      match !== null;
      match = PATTERN.exec(path.slice(prefix.length))
    )
      prefix = path.slice(0, prefix.length + match.index + match[0].length);
    if (prefix !== '') return prefix;
  }
  return '';
};

/** Names that a label may stand for, the likeliest first. */
export const labelNames = (label: string): string[] => {
  const base = /^(.+)-\d+$/.exec(label)?.[1];
  return base === undefined ? [label] : [label, base];
};

const UNIT = /\.(service|scope|socket|mount|swap)$/;

/**
 * systemd's unit of a process: the last service, scope or other unit in its cgroup; or null. What a user's
 * own manager runs is of that manager: the system's knows no unit below it.
 */
export const unitOf = (text: string): string | null => {
  const paths = cgroupPaths(text);
  // Where systemd is on v2, somebody may yet have mounted its hierarchy of v1, for older containers.
  const [units = []] = ['name=systemd', '']
    .map((wanted) => paths.find(({ controllers }) => controllers === wanted)?.path ?? '')
    .map((path) => path.split('/').filter((part) => UNIT.test(part)))
    .filter((found) => found.length > 0);
  const unit = units.find((part) => /^user@\d+\.service$/.test(part)) ?? units.at(-1);
  // systemd writes bytes that a file name cannot hold as `\x2d`.
  return (
    unit?.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ) ?? null
  );
};
