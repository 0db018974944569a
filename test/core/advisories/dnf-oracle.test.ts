import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import { osv } from '../../../src/producers/advisories/osv/source.ts';
import { updateinfoSource } from '../../../src/producers/advisories/updateinfo/source.ts';
import { fileOf, fixture, parsed } from '../../producers/advisories/feed-files.ts';
import { oracle, tableOf } from './oracle-files.ts';

interface DnfOracle {
  installed: { name: string; epoch: number; version: string; release: string; arch: string }[];
  expected: { advisory: string; package: string; fixed: string; state: string }[];
}

const { installed, expected } = JSON.parse(oracle('dnf-almalinux9.json')) as DnfOracle;
const host = indexInventory({
  platform: 'almalinux-9',
  packages: installed.map(({ name: of, epoch, version, release, arch }) => ({
    ...{ name: of, arch, version: `${epoch === 0 ? '' : `${epoch}:`}${version}-${release}` },
  })),
});
type Said = Record<'advisory' | 'package' | 'state', string> & { fixed: string | null };
const textOf = (one: Said): string =>
  `${one.advisory} ${one.package} ${one.fixed ?? ''} ${one.state}`;
const oursOf = (advisories: readonly Advisory[]): string[] =>
  advisories.flatMap((one) => matchAdvisory(one, host)).map(textOf);

describe('what dnf says of a host', () => {
  test('by the updateinfo of its repository', async () => {
    const name = 'updateinfo.derived-from-osv.xml.gz';
    const { advisories } = await parsed(updateinfoSource(), [fileOf(name, fixture(`rpm/${name}`))]);
    expect(expected).toHaveLength(877);
    expect(oursOf(advisories).sort()).toEqual(expected.map(textOf).sort());
  });

  test('by the OSV records of the same advisories, but for what is listed with its reason', async () => {
    const content = oracle('dnf-almalinux9.osv.json.gz');
    const { advisories, problems } = await parsed(osv, [fileOf('osv.json', content)]);
    expect(problems).toEqual([]);
    const differences = tableOf<keyof Said | 'said by' | 'reason'>(
      oracle('dnf-osv-differences.tsv'),
    );
    const by = (who: string): string[] =>
      differences.filter((row) => row['said by'] === who).map((row) => textOf(row));
    const ours = oursOf(advisories);
    const theirs = expected.map(textOf);
    expect(ours.filter((one) => !theirs.includes(one)).sort()).toEqual(by('osv').sort());
    expect(theirs.filter((one) => !ours.includes(one)).sort()).toEqual(by('dnf').sort());
    for (const { reason } of differences) expect(reason).toMatch(/\w/);
  });
});
