import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../../src/core/advisories/advisory.ts';
import { debianTracker } from '../../../../src/producers/advisories/debian-tracker/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

const documents = [1, 2].map((number) => fixture(`debian/tracker-${number}.json`));
const files = documents.map((content, at) => fileOf(`${at}.json`, content));

/** `12 fixed 1.0`: what is said of a package, in short. */
const said = (advisory: Advisory | undefined): string[] =>
  (advisory?.affected ?? []).map(({ name, release, status, fixed, note }) =>
    [name, release, status, fixed, note].filter((part) => part !== null).join(' '),
  );

const tracker = async (issues: object): ReturnType<typeof parsed> =>
  parsed(debianTracker, [fileOf('data/json', JSON.stringify(issues))]);

const release = (rest: object): object => ({
  'CVE-2024-1000': { releases: { bookworm: { status: 'resolved', repositories: {}, ...rest } } },
});

describe("Debian's tracker", () => {
  test('is read whole: issues with what is said of each release', async () => {
    const { advisories, problems } = await parsed(debianTracker, files);
    expect(problems).toEqual([]);
    const of = (id: string): string[] => said(advisories.find((one) => one.id === id));
    expect(of('CVE-2016-5405')).toEqual(['389-ds-base 11 fixed 1.3.5.15-1']);
    expect(of('CVE-2016-5416')).toEqual(['389-ds-base 11 affected ignored: Minor issue']);
    expect(of('CVE-2012-0833')).toEqual(['389-ds-base 11 not-affected']);
    expect(of('CVE-2022-0456')).toEqual([
      'chromium 12 fixed 98.0.4758.80-1',
      'chromium 11 fixed 98.0.4758.80-1~deb11u1',
      'chromium 10 affected end-of-life',
      'chromium 9 affected end-of-life',
    ]);
    expect(of('CVE-2022-0358')).toEqual([]);
    expect(advisories.find(({ id }) => id === 'CVE-2008-7220')).toMatchObject({
      ...{ feed: 'debian-tracker', cves: ['CVE-2008-7220'], severity: 'high' },
      ...{ vendorSeverity: 'high**', withdrawn: false, published: null },
      title: expect.stringMatching(/^Unspecified vulnerability in Prototype/),
    });
  });

  test.each([
    [{ fixed_version: '1.0-1', urgency: 'unimportant' }, ['foo 12 not-affected unimportant']],
    [{ status: 'open', urgency: 'unimportant' }, ['foo 12 not-affected unimportant']],
    [{ fixed_version: '0', urgency: 'unimportant' }, ['foo 12 not-affected']],
    [{ status: 'undetermined' }, []],
    [{ status: 'undetermined', urgency: 'unimportant' }, []],
  ])('what is no reason to do anything: %j', async (rest, rows) => {
    const { advisories, problems } = await tracker({ foo: release(rest) });
    expect(problems).toEqual([]);
    expect(advisories.map(said)).toEqual([rows]);
  });

  test.each([
    [{ bookworm: '1.0-1', 'bookworm-security': '1.0-1+deb12u2' }, '1.0-1+deb12u2'],
    [{ 'bookworm-security': '1.0-1', 'bookworm-lts': '1.0-1+deb12u9' }, '1.0-1+deb12u9'],
    [{ bookworm: '1.0-1', 'bullseye-security': '1.0-1' }, undefined],
    [{ 'bookworm-security': 7 }, undefined],
    [{ 'bookworm-security': 'x y' }, undefined],
    [[], undefined],
  ])('a denial is of the time of what security suites carried: %j', async (repositories, asOf) => {
    const { advisories, problems } = await tracker({
      foo: release({ fixed_version: '0', repositories }),
    });
    expect(problems).toEqual([]);
    expect(advisories[0]?.affected).toMatchObject([{ status: 'not-affected' }]);
    expect(advisories[0]?.affected[0]?.asOf).toBe(asOf);
  });

  test('an issue of several packages comes for each of them, and a TEMP id has no CVE', async () => {
    const issue = { releases: { trixie: { status: 'open', urgency: 'low' } } };
    const { advisories } = await tracker({
      foo: { 'CVE-2024-1000': issue },
      bar: { 'CVE-2024-1000': issue, 'TEMP-0000000-ABCDEF': issue },
    });
    expect(advisories.map(({ id, cves }) => [id, cves])).toEqual([
      ['CVE-2024-1000', ['CVE-2024-1000']],
      ['CVE-2024-1000', ['CVE-2024-1000']],
      ['TEMP-0000000-ABCDEF', []],
    ]);
    expect(advisories.map(said)).toEqual([
      ['foo 13 affected'],
      ['bar 13 affected'],
      ['bar 13 affected'],
    ]);
  });

  test.each([
    [{ nodsa: 'Minor issue', nodsa_reason: 'postponed' }, 'postponed: Minor issue'],
    [{ nodsa: 'Minor issue', nodsa_reason: '' }, 'no DSA: Minor issue'],
    [{ nodsa: '', nodsa_reason: 'ignored' }, 'ignored'],
    [{ urgency: 'end-of-life', nodsa: 'x' }, 'end-of-life'],
    [{}, null],
  ])('why there is no fix: %j', async (rest, note) => {
    const { advisories } = await tracker({ foo: release({ status: 'open', ...rest }) });
    expect(advisories[0]?.affected).toMatchObject([{ status: 'affected', fixed: null, note }]);
  });

  test.each([
    [{ fixed_version: 7 }, 'foo CVE-2024-1000', 'releases.bookworm.fixed_version'],
    [{ fixed_version: 'x y' }, 'foo CVE-2024-1000', 'releases.bookworm.fixed_version'],
    [{}, 'foo CVE-2024-1000', 'releases.bookworm.fixed_version'],
    [{ status: 'fixed' }, 'foo CVE-2024-1000', 'releases.bookworm.status'],
  ])('what cannot be used is named: %j', async (rest, record, field) => {
    const good = release({ fixed_version: '1' });
    const { advisories, problems } = await tracker({ foo: release(rest), good });
    expect(problems).toMatchObject([{ file: 'data/json', record, field }]);
    expect(advisories.flatMap(said)).toEqual(['good 12 fixed 1']);
  });

  test('names of packages, issues and releases that are none', async () => {
    const issue = { releases: { hobbit: { status: 'open' }, sid: { status: 'open' } } };
    const { advisories, problems } = await tracker({
      '../x': release({ fixed_version: '1' }),
      foo: { 'DSA-1': issue, 'CVE-2024-1000': issue },
      bar: 7,
    });
    expect(advisories.map(said)).toEqual([[]]);
    expect(problems).toMatchObject([
      { record: '../x', reason: 'this is no name of a package' },
      { record: 'foo DSA-1', reason: 'this is no id of an issue' },
      {
        record: 'foo CVE-2024-1000',
        field: 'releases.hobbit',
        reason: 'there is no release hobbit',
      },
      { record: 'bar', reason: 'its issues are no object' },
    ]);
  });

  test.each([
    ['cut off', '{"foo": {}, "bar": {"x', 'the JSON object ends too early'],
    ['an array', '[]', 'this is no JSON object'],
    ['longer than it says', '{} {}', 'something follows the end of the JSON object'],
    ['nothing', '', 'the JSON object ends too early'],
    ['not in UTF-8', Buffer.from([0x7b, 0x22, 0xff]), 'The encoded data was not valid'],
  ])('a document that is %s is told', async (_, content, reason) => {
    const { problems } = await parsed(debianTracker, [fileOf('json', content)]);
    expect(problems).toMatchObject([{ file: 'json', reason: expect.stringContaining(reason) }]);
  });

  test('one package that is no JSON does not take the others away', async () => {
    const good = JSON.stringify(release({ fixed_version: '1' }));
    const text = `{"foo": ${good}, "bar": {"x": tru}, "b\\"a,z{": {}, "good": ${good}}`;
    const { advisories, problems } = await parsed(debianTracker, [fileOf('json', text)]);
    expect(advisories.map(said)).toEqual([['foo 12 fixed 1'], ['good 12 fixed 1']]);
    expect(problems).toMatchObject([
      { record: '"bar": {"x": tru}' },
      { record: 'b"a,z{', reason: 'this is no name of a package' },
    ]);
  });
});
