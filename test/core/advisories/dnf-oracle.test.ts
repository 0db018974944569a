import { expect, test } from '@jest/globals';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import { updateinfoSource } from '../../../src/producers/advisories/updateinfo/source.ts';
import { fileOf, fixture, parsed } from '../../producers/advisories/feed-files.ts';
import { oracle } from './oracle-files.ts';

interface DnfOracle {
  installed: { name: string; epoch: number; version: string; release: string; arch: string }[];
  expected: { advisory: string; package: string; fixed: string; state: string }[];
}

test('dnf, by the updateinfo of its repository', async () => {
  const { installed, expected } = JSON.parse(oracle('dnf-almalinux9.json')) as DnfOracle;
  const name = 'updateinfo.derived-from-osv.xml.gz';
  const { advisories } = await parsed(updateinfoSource(), [fileOf(name, fixture(`rpm/${name}`))]);
  const host = indexInventory({
    platform: 'almalinux-9',
    packages: installed.map(({ name: of, epoch, version, release, arch }) => ({
      ...{ name: of, arch, version: `${epoch === 0 ? '' : `${epoch}:`}${version}-${release}` },
    })),
  });
  const ours = advisories
    .flatMap((one) => matchAdvisory(one, host))
    .map((one) => `${one.advisory} ${one.package} ${one.fixed} ${one.state}`);
  const theirs = expected.map((one) => `${one.advisory} ${one.package} ${one.fixed} ${one.state}`);
  expect(theirs).toHaveLength(877);
  expect(ours.sort()).toEqual(theirs.sort());
});
