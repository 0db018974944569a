import { z } from 'zod';

/** Why a package is a core package, in the words of the distribution's own data. */
export const CoreReason = z.enum([
  // Debian and its like: `Essential: yes`, and the two priorities without which nothing is a system.
  ...(['essential', 'required', 'important'] as const),
  // dnf: how a group lists it.
  ...(['mandatory', 'default'] as const),
  // One of the others does not work without it.
  'dependency',
]);
export type CoreReason = z.infer<typeof CoreReason>;

export const CorePackage = z.strictObject({
  name: z.string().min(1),
  why: CoreReason,
  /** The package that needs it, or the group that lists it. */
  of: z.string().optional(),
});
export type CorePackage = z.infer<typeof CorePackage>;

/** A platform's core packages: what `groundswell platform make` writes, and `show` and `diff` read. */
export const Manifest = z.strictObject({
  /** os-release's `ID` and `VERSION_ID`; of Enterprise Linux the major number, which all its minor releases share. */
  platform: z.string().regex(/^[a-z]+-[0-9][0-9.]*$/, 'want a platform such as debian-12'),
  made: z.strictObject({
    /** The command that wrote it. */
    by: z.string(),
    /** The day on which it did, in UTC. */
    on: z.iso.date(),
    /** What of the distribution it was derived from. */
    from: z.array(z.string()).min(1),
  }),
  packages: z.array(CorePackage).min(1),
});
export type Manifest = z.infer<typeof Manifest>;

/** The platforms whose manifest is for a host, the nearest first: `almalinux-9.4`, then `almalinux-9`. */
export const manifestNames = (platform: string): string[] => {
  const major = platform.replace(/^(.*-\d+)\..*$/, '$1');
  // Where a release is a year and a month, half of it is no release.
  return platform === major || /^(?:ubuntu|amzn)-/.test(platform) ? [platform] : [platform, major];
};
