import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import type { Finding } from '../../../src/core/advisories/match.ts';
import { compareDebVersions } from '../../../src/core/versions/compare-deb-versions.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { openFeedFiles } from '../../../src/producers/advisories/open-feed-files.ts';
import { scopeOf } from '../../../src/producers/advisories/osv/ecosystem.ts';
import { osv } from '../../../src/producers/advisories/osv/source.ts';
import { fixtures } from '../../producers/advisories/stored-files.ts';
import { oracle, tableOf } from './oracle-files.ts';

interface Query {
  ecosystem: string;
  name: string;
  version: string;
  vulns: { id: string }[];
}

const answers = oracle('osv-api-querybatch.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Query);
/** Those about packages of the distributions that we know. */
const queries = answers.filter(({ ecosystem }) => /^(Debian|Ubuntu):/.test(ecosystem));

const notReached = new Map(
  tableOf<'id' | 'reason'>(oracle('osv-not-reached.tsv')).map(({ id, reason }) => [id, reason]),
);

const advisories: Advisory[] = [];

beforeAll(async () => {
  for (const [source, path] of [
    [debianLists, 'debian'],
    [osv, 'osv'],
    [osv, 'archives/all.zip'],
    [osv, 'archives/osv-all.tar.xz'],
  ] as const)
    for await (const record of source.parse(openFeedFiles(`${fixtures}/${path}`)))
      if (record.kind === 'advisory') advisories.push(record.advisory);
});

const platformOf = (ecosystem: string): string =>
  ecosystem.toLowerCase().replace(':', '-').replace(':lts', '');

const answersTo = ({ ecosystem, name, version }: Query): Finding[] => {
  const host = indexInventory({
    platform: platformOf(ecosystem),
    packages: [{ name, arch: 'amd64', version, source: name, sourceVersion: version }],
  });
  return advisories.flatMap((one) => matchAdvisory(one, host));
};

describe('answers of osv.dev', () => {
  test('there are those for Debian and Ubuntu', () => {
    expect(queries.filter(({ ecosystem }) => ecosystem.startsWith('Debian:'))).toHaveLength(29);
    expect(queries.filter(({ ecosystem }) => ecosystem.startsWith('Ubuntu:'))).toHaveLength(80);
    const others = answers.filter((one) => !queries.includes(one));
    expect([...new Set(others.map(({ ecosystem }) => ecosystem))]).toEqual(['openSUSE:Leap 15.5']);
    expect(scopeOf('openSUSE:Leap 15.5')).toBeNull();
  });

  test.each(queries)('$ecosystem $name $version', (query) => {
    const { vulns } = query;
    const ours = answersTo(query)
      .filter(({ state }) => state !== 'applied')
      .map(({ advisory }) => advisory);
    const theirs = vulns.map(({ id }) => id).filter((id) => !notReached.has(id));
    expect(ours.sort()).toEqual(theirs.sort());
  });

  test('of what they answer the samples have no record: the queries show that nothing is made up', () => {
    expect(queries.flatMap(({ vulns }) => vulns.filter(({ id }) => !notReached.has(id)))).toEqual(
      [],
    );
    // Of Debian something is said of these packages, and fixed in them; of Ubuntu not even that.
    const looked = (of: string): number =>
      queries
        .filter(({ ecosystem }) => ecosystem.startsWith(of))
        .flatMap((query) => answersTo(query)).length;
    expect([looked('Debian:'), looked('Ubuntu:')]).toEqual([7, 0]);
  });

  test('of what is fixed in them something would be said of the version before, and of no other', () => {
    const before = queries.flatMap((query) =>
      answersTo(query).map(({ advisory, fixed, state }) => {
        const version = `${fixed ?? ''}~`;
        const pending = answersTo({ ...query, version }).filter((one) => one.state === 'pending');
        const isOlder = pending.every((one) => compareDebVersions(one.fixed ?? '', version) > 0);
        return [state, pending.some((one) => one.advisory === advisory), isOlder];
      }),
    );
    expect(before).toEqual(before.map(() => ['applied', true, true]));
  });

  test('what the samples do not reach is listed, and nothing else', () => {
    const asked = new Set(queries.flatMap(({ vulns }) => vulns.map(({ id }) => id)));
    const known = new Set(advisories.map(({ id }) => id));
    expect([...notReached.keys()].filter((id) => known.has(id) || !asked.has(id))).toEqual([]);
    for (const reason of notReached.values()) expect(reason).toMatch(/\w/);
  });
});
