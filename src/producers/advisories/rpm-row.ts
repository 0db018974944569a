import { z } from 'zod';
import type { AffectedRow } from '../../core/advisories/advisory.ts';
import { parseRpmVersion } from '../../core/versions/compare-rpm-versions.ts';

/** What may stand in the names, architectures and modules of packages; of a longer or stranger one nothing is believed. */
export const RpmName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_+.~-]{0,254}$/, 'no package name');
export const RpmArch = z.string().regex(/^[a-z][a-z0-9_]{1,15}$/, 'no architecture');
/** `name:stream`. */
export const RpmModule = z
  .string()
  .regex(/^[A-Za-z0-9_][\w+.~-]{0,99}:[A-Za-z0-9_][\w+.~-]{0,99}$/, 'no module name and stream');

const part = z.string().regex(/^[A-Za-z0-9_.+~^]{1,255}$/, 'no version');
/** The parts of a version as feeds give them; an epoch that is left out is 0. */
export const RpmEvr = z.object({
  epoch: z
    .string()
    .regex(/^(?:\d{1,10}|\(none\))?$/, 'no epoch')
    .nullish(),
  version: part,
  release: part,
});
export type RpmEvr = z.infer<typeof RpmEvr>;

/** `[epoch:]version-release`, without an epoch of 0. */
export const evrText = ({ epoch, version, release }: RpmEvr): string => {
  const number = (epoch ?? '').replace('(none)', '').replace(/^0+/, '');
  return `${number === '' ? '' : `${number}:`}${version}-${release}`;
};

/** A version of one text, with the same rules as `evrText`; null where it is none. */
export const evrOfText = (text: string): string | null => {
  const parsed = parseRpmVersion(text);
  if (!parsed.ok || parsed.version.release === null) return null;
  const checked = RpmEvr.safeParse(parsed.version);
  return checked.success ? evrText(checked.data) : null;
};

/** Whether a package is one that hosts install: sources are none. */
export const isInstallable = (arch: string): boolean => arch !== 'src' && arch !== 'nosrc';

/** Where a row counts: a distribution's release and, where needed, what a host must be attached to. */
export interface RpmPlace {
  distro: string;
  release: string;
  channel: string | null;
}

/**
 * The row of a fixed binary package. A `noarch` package counts for every architecture: null.
 */
export const fixedRow = (
  place: RpmPlace,
  name: string,
  arch: string | null,
  module: string | null,
  fixed: string,
): AffectedRow => ({
  ...place,
  names: 'binary',
  name,
  arch: arch === 'noarch' ? null : arch,
  module,
  status: 'fixed',
  fixed,
  note: null,
  scheme: 'rpm',
});
