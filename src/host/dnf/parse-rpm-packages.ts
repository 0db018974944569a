import { parseRpmList, rpmListFormat } from '../../core/advisories/parse-rpm-list.ts';
import type { InstalledPackage } from '../../core/packages.ts';

/** One package of rpm's database; `version` is `[epoch:]version-release`. */
export interface RpmPackage extends InstalledPackage {
  /** `name:stream` of the module that it was built for; null: none. */
  module: string | null;
  /** Who built it, as it says of itself. */
  vendor: string | null;
  /** When it was installed, in ms by the wall clock; null where rpm does not say it. */
  installedAtMs: number | null;
}

/** What rpm is asked for: the documented list, who built each, and when it was installed. */
export const rpmDatabaseFormat = rpmListFormat.replace(/\\n$/, '\\t%{VENDOR}\\t%{INSTALLTIME}\\n');

/** Reads what `rpm -qa --queryformat '<rpmDatabaseFormat>'` writes; throws where it is none of that. */
export const parseRpmPackages = (text: string): RpmPackage[] =>
  text.split('\n').flatMap((line) =>
    parseRpmList(line).map(({ name, arch, version, source, sourceVersion, module, vendor }) => {
      const seconds = /\t(\d+)$/.exec(line)?.[1];
      return {
        ...{ name, arch, version, source: source ?? name, sourceVersion: sourceVersion ?? version },
        module: module ?? null,
        vendor: vendor ?? null,
        installedAtMs: seconds === undefined ? null : Number(seconds) * 1000,
      };
    }),
  );

/** Without what only rpm knows, as reports and inventories have it. */
export const toInstalled = (packages: readonly RpmPackage[]): InstalledPackage[] =>
  packages.map(({ name, arch, version, source, sourceVersion }) => ({
    ...{ name, arch, version, source, sourceVersion },
  }));
