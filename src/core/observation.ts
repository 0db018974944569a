import { z } from 'zod';
import { ContainerName } from './ids.ts';

/**
 * One life of a container. Only these three together say "the same instance": namespace inodes,
 * mount ids and device numbers are reused by the next one.
 */
export const Instance = z.strictObject({
  bootId: z.string(),
  initPid: z.int().positive(),
  /** Field 22 of /proc/PID/stat, in clock ticks since boot, as text. */
  startTime: z.string(),
});
export type Instance = z.infer<typeof Instance>;

export const sameInstance = (a: Instance | null, b: Instance | null): boolean =>
  a !== null &&
  b !== null &&
  a.bootId === b.bootId &&
  a.initPid === b.initPid &&
  a.startTime === b.startTime;

/** Whether two containers of one name are not the same one, as far as that can be told (R18). */
export const isAnotherContainer = (
  one: string | null | undefined,
  other: string | null | undefined,
): boolean => (one ?? null) !== null && (other ?? null) !== null && one !== other;

/** A process that maps or executes a file which the host has since replaced. */
export const StaleFile = z.strictObject({
  pid: z.int(),
  /** Start time of the process, as in `Instance`; makes the pid unambiguous. */
  startTime: z.string(),
  command: z.string(),
  path: z.string(),
  /** `replaced`: the host now has another file there; `removed`: it has none. */
  kind: z.enum(['replaced', 'removed']),
  /** `monitor`: the container's LXC monitor, a host process that belongs to it. */
  process: z.enum(['container', 'monitor']),
});
export type StaleFile = z.infer<typeof StaleFile>;

/** A packaged path whose upper-layer entry differs from the host's file: a restart cannot fix it. */
export const ShadowedFile = z.strictObject({
  path: z.string(),
  kind: z.enum(['copy', 'symlink', 'whiteout', 'opaque', 'redirect']),
  /** The owner put something of a newer version there on purpose, where that can be told. */
  ownVersion: z.string().nullable(),
  /** Name of the package that ships the file, without architecture. */
  package: z.string().default(''),
});
export type ShadowedFile = z.infer<typeof ShadowedFile>;

/** What could not be read, and why: never stale, never verified, never a reason to restart. */
export const Unreadable = z.strictObject({ what: z.string(), reason: z.string() });
export type Unreadable = z.infer<typeof Unreadable>;

/** The stale scan's finding for one container. */
export const ContainerScan = z.strictObject({
  name: ContainerName,
  instance: Instance.nullable(),
  processes: z.int(),
  stale: z.array(StaleFile),
  shadowed: z.array(ShadowedFile),
  unreadable: z.array(Unreadable),
});
export type ContainerScan = z.infer<typeof ContainerScan>;

/** A process of the host itself that runs replaced code: listed, never restarted by us. */
export const StaleHostProcess = z.strictObject({
  pid: z.int(),
  command: z.string(),
  paths: z.array(z.string()),
  /** systemd unit, where the cgroup names one. */
  unit: z.string().nullable(),
});
export type StaleHostProcess = z.infer<typeof StaleHostProcess>;

export const Health = z.enum(['healthy', 'unhealthy', 'unknown']);
export type Health = z.infer<typeof Health>;
