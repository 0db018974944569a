import { z } from 'zod';

/** A binary package as the package manager's own database has it. */
export const InstalledPackage = z.strictObject({
  name: z.string(),
  arch: z.string(),
  version: z.string(),
  /** Source package; the binary's own name where the database names none. */
  source: z.string(),
  sourceVersion: z.string(),
});
export type InstalledPackage = z.infer<typeof InstalledPackage>;

/** What happened to one binary package; `from` null: installed, `to` null: removed. */
export const PackageChange = z.strictObject({
  name: z.string(),
  arch: z.string(),
  source: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type PackageChange = z.infer<typeof PackageChange>;
