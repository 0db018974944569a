import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import type { InventoryPackage } from './inventory.ts';

/** The source package by whose name advisories go, and how this package stands to a version of that one. */
export interface SourceIdentity {
  source: string;
  compare: (version: string) => number;
}

const architecture = '(?:amd64|arm64|armhf|armel|i386|ia32|ppc64el|s390x|riscv64|loong64)';
const justArchitecture = new RegExp(`^${architecture}$`);
const forArchitecture = new RegExp(`-${architecture}$`);
const builtFor = new RegExp(`^(.+)-${architecture}-signed$`);

/** EFI programs of the firmware updater have two numbers since they are of a source of their own; its own versions have three. */
const fwupd = (version: string): readonly string[] => [
  /^\d+\.\d+(?![\d.])/.test(version) ? 'fwupd-efi' : 'fwupd',
];

/** Names that differ by more than the marks of signing, by the version that was signed. */
const unsigned: ReadonlyMap<string, (version: string) => readonly string[]> = new Map([
  ['grub-efi', () => ['grub2']],
  // Ubuntu signs one build for all of its releases, which has a source of its own.
  ['grub2', () => ['grub2-unsigned', 'grub2']],
  ['shim-helpers', () => ['shim']],
  ['systemd-boot-efi', () => ['systemd']],
  ['fwupd', fwupd],
]);

const namesOf = (name: string, version: string): readonly string[] =>
  unsigned.get(name)?.(version) ?? [name];

const withoutEpoch = (version: string): string => version.replace(/^\d+:/, '');

/**
 * `1.51~1+deb12u1+16.1-2~deb12u1` of source version `1.51~1+deb12u1` has 16.1-2~deb12u1 of the other source in it. Where that of
 * the source is not told: the signing's own version has no dash.
 */
const carriedVersion = (version: string, sourceVersion: string | undefined): string | null => {
  if (sourceVersion !== undefined && sourceVersion !== version)
    return version.startsWith(`${sourceVersion}+`) ? version.slice(sourceVersion.length + 1) : null;
  const dash = version.indexOf('-');
  const parts = version.slice(0, Math.max(0, dash)).split('+');
  // `+deb12u1` belongs to what is before it.
  const from = parts.findLastIndex((part) => /^\d/.test(part));
  return from < 1 ? null : parts.slice(from).join('+') + version.slice(dash);
};

/** What signs these puts a number of its own before their versions: `1+2.06+13+deb12u2`. */
const numbered: ReadonlySet<string> = new Set(['grub-efi', 'shim-helpers']);

/** The version that was signed, in which `-` was no longer possible. Of names that are not known, a 1 before it is the signing's. */
const rewrittenVersion = (name: string, version: string): string =>
  version.replace(
    numbered.has(name) ? /^\d+\+(?=\d)/ : unsigned.has(name) ? /^$/ : /^1\+(?=\d+[.+])/,
    '',
  );

/** What stands within another version has no epoch. */
const compareWithin = (installed: string, version: string): number =>
  compareDebVersions(installed, /^\d+:/.test(installed) ? version : withoutEpoch(version));

/**
 * What Debian and Ubuntu sign is built again from another source package (`linux-signed-amd64`,
 * `grub-efi-amd64-signed`, `shim-signed`), while advisories name the one that it comes from. Empty: it is not such a one.
 */
export const signedSources = (one: InventoryPackage): readonly SourceIdentity[] => {
  const source = one.source ?? one.name;
  const linux = /^linux-signed(?:-(.+))?$/.exec(source);
  if (linux !== null) {
    const rest = linux[1] ?? '';
    const series = justArchitecture.test(rest) ? '' : rest.replace(forArchitecture, '');
    return [
      {
        source: series === '' ? 'linux' : `linux-${series}`,
        compare: (version) => compareDebVersions(one.version, version),
      },
    ];
  }
  const byArchitecture = builtFor.exec(source)?.[1];
  if (byArchitecture !== undefined) {
    const rewritten = rewrittenVersion(byArchitecture, one.version);
    return namesOf(byArchitecture, withoutEpoch(rewritten)).map((name) => ({
      source: name,
      compare: (version) => compareWithin(rewritten, version.replaceAll('-', '+')),
    }));
  }
  const whole = /^(.+)-signed$/.exec(source)?.[1];
  if (whole === undefined) return [];
  const carried = carriedVersion(one.version, one.sourceVersion);
  return namesOf(whole, carried ?? withoutEpoch(one.version)).map((name) => ({
    source: name,
    compare: (version) =>
      carried === null ? compareDebVersions(one.version, version) : compareWithin(carried, version),
  }));
};
