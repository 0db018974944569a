import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import type { InventoryPackage } from './inventory.ts';

/** The source package by whose name advisories go, and how this package stands to a version of that one. */
export interface SourceIdentity {
  source: string;
  compare: (version: string) => number;
}

const architecture = '(?:amd64|arm64|armhf|armel|i386|ia32|ppc64el|s390x|riscv64|loong64)';

/** Names that differ by more than the marks of signing. */
const unsigned: ReadonlyMap<string, string> = new Map([
  ['grub-efi', 'grub2'],
  ['shim-helpers', 'shim'],
]);

/** `1.51~1+deb12u1+16.1-2~deb12u1` of source version `1.51~1+deb12u1` has 16.1-2~deb12u1 of the other source in it. */
const carriedVersion = (version: string, sourceVersion: string): string | null =>
  version.startsWith(`${sourceVersion}+`) ? version.slice(sourceVersion.length + 1) : null;

/** `1+2.06+13+deb12u2`: the signing's own number, then a version in which `-` was no longer possible. */
const compareRewritten = (installed: string, version: string): number => {
  const own = /^(\d+:)?\d+\+(?=\d+[.:])/.exec(installed);
  const rewritten = version.replaceAll('-', '+');
  return own === null || own[1] !== undefined
    ? compareDebVersions(installed, rewritten)
    : compareDebVersions(installed.slice(own[0].length), rewritten.replace(/^\d+:/, ''));
};

/**
 * What Debian and Ubuntu sign is built again from another source package (`linux-signed-amd64`,
 * `grub-efi-amd64-signed`, `shim-signed`), while advisories name the one that it comes from. Null: it is not such a one.
 */
export const signedSource = (one: InventoryPackage): SourceIdentity | null => {
  const source = one.source ?? one.name;
  const sourceVersion = one.sourceVersion ?? one.version;
  const plainly = (name: string): SourceIdentity => ({
    source: name,
    compare: (version) => compareDebVersions(one.version, version),
  });
  const linux = /^linux-signed(?:-(.+))?$/.exec(source);
  if (linux !== null) {
    const rest = linux[1];
    return plainly(
      rest === undefined || new RegExp(`^${architecture}$`).test(rest) ? 'linux' : `linux-${rest}`,
    );
  }
  const byArchitecture = new RegExp(`^(.+)-${architecture}-signed$`).exec(source)?.[1];
  if (byArchitecture !== undefined)
    return {
      source: unsigned.get(byArchitecture) ?? byArchitecture,
      compare: (version) => compareRewritten(one.version, version),
    };
  const whole = /^(.+)-signed$/.exec(source)?.[1];
  if (whole === undefined) return null;
  const carried = carriedVersion(one.version, sourceVersion);
  return carried === null
    ? plainly(whole)
    : { source: whole, compare: (version) => compareDebVersions(carried, version) };
};
