import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { updateinfoSource } from '../../../src/producers/advisories/updateinfo/source.ts';
import { fileOf, fixture, parsed } from '../../producers/advisories/feed-files.ts';

const oracle = (name: string): string =>
  readFileSync(new URL(`../../fixtures/matching/${name}`, import.meta.url), 'utf8');

interface OsvQuery {
  ecosystem: string;
  name: string;
  version: string;
  vulns: { id: string }[];
}

describe('answers that others gave', () => {
  test('osv.dev, for Debian by its lists as far as those reach', async () => {
    const { advisories } = await parsed(
      debianLists,
      ['DSA-list.txt.gz', 'DLA-list.txt.gz'].map((name) => fileOf(name, fixture(`debian/${name}`))),
    );
    const known = new Set(advisories.map(({ id }) => id));
    const queries = oracle('osv-api-querybatch.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as OsvQuery)
      .filter(({ ecosystem }) => ecosystem.startsWith('Debian:'));
    expect(queries).toHaveLength(29);
    for (const { ecosystem, name, version, vulns } of queries) {
      const host = indexInventory({
        platform: `debian-${ecosystem.slice('Debian:'.length)}`,
        packages: [{ name, arch: 'amd64', version, source: name, sourceVersion: version }],
      });
      const ours = advisories
        .flatMap((one) => matchAdvisory(one, host))
        .filter(({ state }) => state !== 'applied')
        .map(({ advisory }) => advisory);
      const theirs = vulns.map(({ id }) => id).filter((id) => known.has(id));
      expect([name, ...ours.sort()]).toEqual([name, ...theirs.sort()]);
    }
  });
});

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
