import { Unreadable } from '../unreadable.ts';
import type { InventoryPackage } from './inventory.ts';

/**
 * What `rpm -qa` is asked for: these columns with tabs between them. `%{VENDOR}` may follow; what else does is not looked at.
 */
export const rpmListFormat =
  '%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{MODULARITYLABEL}\\n';

const given = (text: string | undefined): string | null =>
  text === undefined || text === '' || text === '(none)' ? null : text;

const withEpoch = (epoch: string | null, version: string): string =>
  epoch === null || epoch === '0' ? version : `${epoch}:${version}`;

/** `openssl-3.0.7-2.el9.src.rpm` → name and version with release. */
const sourceOf = (file: string | null): { source: string; version: string } | null => {
  const found = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '');
  return found === null ? null : { source: found[1] ?? '', version: found[2] ?? '' };
};

/** A vendor is a name; a time of installation, which others list there, is none. */
const vendorOf = (text: string | undefined): string | null => {
  const vendor = given(text?.trim());
  return vendor !== null && /[a-z]/i.test(vendor) ? vendor : null;
};

/** `nodejs:18:9020020230717:rhel9` → `nodejs:18`. */
const moduleOf = (label: string | null): string | null =>
  /^([^:]+:[^:]+)/.exec(label ?? '')?.[1] ?? null;

/**
 * Reads what `rpm -qa --queryformat '<rpmListFormat>'` writes. Public keys (`gpg-pubkey`) are no packages. Throws with the
 * line's number where it is none of that.
 */
export const parseRpmList = (text: string): InventoryPackage[] =>
  text.split(/\r?\n/).flatMap((line, index) => {
    if (line === '' || line.startsWith('gpg-pubkey\t')) return [];
    const [name = '', epoch, version = '', release = '', arch = '', sourceRpm, label, eighth] =
      line.split('\t');
    const number = given(epoch);
    if (name === '' || version === '' || release === '' || !/^\d+$/.test(number ?? '0'))
      throw new Unreadable(
        `line ${index + 1}`,
        line,
        `want name, epoch, version, release, architecture and more with tabs between them (rpm -qa --queryformat '${rpmListFormat}')`,
      );
    const source = sourceOf(given(sourceRpm));
    const vendor = vendorOf(eighth);
    return [
      {
        ...{ name, arch, version: withEpoch(number, `${version}-${release}`) },
        ...(source === null
          ? {}
          : {
              source: source.source,
              // Of another version it may have another epoch, which nothing tells.
              sourceVersion:
                source.version === `${version}-${release}`
                  ? withEpoch(number, source.version)
                  : source.version,
            }),
        module: moduleOf(given(label)),
        ...(vendor === null ? {} : { vendor }),
      },
    ];
  });
