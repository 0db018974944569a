import { z } from 'zod';

/** One installed package, of dpkg or rpm. */
export const InventoryPackage = z.strictObject({
  name: z.string().min(1),
  arch: z.string(),
  /** deb: as dpkg writes it; rpm: `[epoch:]version-release`. */
  version: z.string(),
  /** The source package; its own name where the database names none. */
  source: z.string().optional(),
  sourceVersion: z.string().optional(),
  /** rpm: `name:stream` of the module that it was built for. */
  module: z.string().nullable().optional(),
  /** rpm: the module stream that other packages of the host tell, where it does not say it itself: see `withLikelyModules`. */
  likelyModule: z.string().optional(),
  /** Where it was installed from, where that is known: dnf's id of the repository, apt's `Origin` of the archive. */
  repository: z.string().nullable().optional(),
  /** rpm: who built it, as it says of itself. */
  vendor: z.string().nullable().optional(),
  /** The administrator asked the package manager to keep it as it is. */
  held: z.boolean().optional(),
  /** Of an offer: another package that is installed brings it, see `withKernels`. */
  through: z.object({ name: z.string(), installed: z.string() }).optional(),
});
export type InventoryPackage = z.infer<typeof InventoryPackage>;

/** What a host has: as `groundswell inventory --json` writes it. */
export const Inventory = z.strictObject({
  /** os-release's `ID` and `VERSION_ID`: `debian-12`, `ubuntu-22.04`, `almalinux-9`. */
  platform: z.string(),
  /** What the host is attached to beside its distribution's own repositories: `esm-infra`, `eus`, … */
  channels: z.array(z.string()).optional(),
  /** Release of the running kernel, as `uname -r` says it. */
  kernel: z.string().nullable().optional(),
  packages: z.array(InventoryPackage),
});
export type Inventory = z.infer<typeof Inventory>;
