import type { Advisory, AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { Inventory, InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import type { Finding } from '../../../src/core/advisories/match.ts';

/** A row of a source package of Debian 12, unless it is told otherwise. */
export const row = (more: Partial<AffectedRow>): AffectedRow => ({
  ...{ distro: 'debian', release: '12', channel: null, names: 'source', name: 'openssl' },
  ...{ arch: null, module: null, status: 'fixed', fixed: '3.0.17-1~deb12u2', note: null },
  scheme: 'deb',
  ...more,
});
/** A row of a binary package of AlmaLinux 9. */
export const rpmRow = (more: Partial<AffectedRow>): AffectedRow =>
  row({ distro: 'almalinux', release: '9', names: 'binary', scheme: 'rpm', ...more });

export const advisory = (affected: AffectedRow[], more: Partial<Advisory> = {}): Advisory => ({
  ...{ feed: 'test', id: 'A-1', kind: 'security', title: '', cves: ['CVE-2025-1234'] },
  ...{
    published: null,
    modified: null,
    withdrawn: false,
    severity: 'high',
    vendorSeverity: 'Important',
  },
  affected,
  ...more,
});

/** An installed package. */
export const deb = (name: string, version: string, more: Partial<InventoryPackage> = {}) => ({
  ...{ name, arch: 'amd64', version, ...more },
});

type On = Partial<Omit<Inventory, 'packages'>>;

/** The findings of one advisory with these rows. */
export const findings = (
  rows: AffectedRow[],
  packages: InventoryPackage[],
  on: On = {},
  more: Partial<Advisory> = {},
): Finding[] =>
  matchAdvisory(advisory(rows, more), indexInventory({ platform: 'debian-12', packages, ...on }));

/** What is found, one line each: package, fixed version, state. */
export const found = (...asked: Parameters<typeof findings>): string[] =>
  findings(...asked).map((one) => `${one.package} ${one.fixed} ${one.state}`);
