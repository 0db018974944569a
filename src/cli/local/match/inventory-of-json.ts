import { z } from 'zod';
import type { Inventory, InventoryPackage } from '../../../core/advisories/inventory.ts';

/** What others write too: a field that says nothing is as good as none, and what we do not know does not concern us. */
const Package = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  ...{ arch: z.string().nullish(), source: z.string().nullish() },
  ...{ sourceVersion: z.string().nullish(), module: z.string().nullish() },
  ...{ repository: z.string().nullish(), vendor: z.string().nullish() },
  held: z.boolean().nullish(),
});
const Written = z.object({
  platform: z.string().nullish(),
  channels: z.array(z.string()).nullish(),
  kernel: z.string().nullish(),
  packages: z.array(Package),
});

const given = <Key extends string>(
  key: Key,
  text: string | null | undefined,
): Partial<Record<Key, string>> =>
  text === undefined || text === null || text === ''
    ? {}
    : ({ [key]: text } as Record<Key, string>);

/** rpm writes `(none)` for an epoch that is not there. */
const withoutNone = (version: string): string => version.replace(/^\(none\):/, '');

const packageOf = (one: z.infer<typeof Package>): InventoryPackage => {
  // `libc6:amd64`, as dpkg calls what may be there for several architectures.
  const [, bare, suffix] = /^([^:]+):([a-z][a-z0-9-]*)$/.exec(one.name) ?? [];
  return {
    name: bare ?? one.name,
    arch: one.arch ?? suffix ?? '',
    version: withoutNone(one.version),
    ...given('source', one.source),
    ...given('sourceVersion', withoutNone(one.sourceVersion ?? '')),
    ...given('module', one.module),
    ...given('repository', one.repository),
    ...given('vendor', one.vendor),
    ...(one.held === true ? { held: true } : {}),
  };
};

/** The JSON of `groundswell inventory`, or an array of its packages, which does not say whose they are. */
export const inventoryOfJson = (
  text: string,
): Omit<Inventory, 'platform'> & { platform?: string } => {
  const json: unknown = JSON.parse(text);
  const read = Array.isArray(json)
    ? Written.safeParse({ packages: json })
    : Written.safeParse(json);
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const { platform, channels, kernel, packages } = read.data;
  return {
    ...given('platform', platform),
    ...(channels === undefined || channels === null ? {} : { channels }),
    ...(kernel === undefined || kernel === null ? {} : { kernel }),
    packages: packages.map(packageOf),
  };
};
