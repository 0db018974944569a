import { describe, expect, test } from '@jest/globals';
import { debianLists } from '../../../../src/producers/advisories/debian-lists/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

const lists = ['DSA-list.txt.gz', 'DLA-list.txt.gz'].map((name) => ({
  name,
  content: fixture(`debian/${name}`),
}));

const parse = (text: string) => parsed(debianLists, [fileOf('data/DSA/list', text)]);

describe("the lists of Debian's security tracker", () => {
  test('every entry of the real ones, and the one line that cannot be', async () => {
    const { advisories, problems } = await parsed(
      debianLists,
      lists.map(({ name, content }) => fileOf(name, content)),
    );
    expect(advisories).toHaveLength(5_054 + 3_014);
    expect(advisories.flatMap(({ affected }) => affected)).toHaveLength(9_551);
    expect(problems).toEqual([
      {
        file: 'DSA-list.txt.gz',
        record: 'DSA-423 (line 16096)',
        field: 'kernel-image-2.4.17-ia64 of woody',
        reason: expect.stringContaining('does not start with a digit'),
      },
    ]);
    expect(advisories[0]).toEqual({
      ...{ feed: 'debian-lists', id: 'DSA-5033-1', kind: 'security' },
      title: 'fort-validator - security update',
      cves: ['CVE-2021-3907', 'CVE-2021-3909', 'CVE-2021-43114', 'CVE-2021-43173'],
      ...{ published: '2021-12-30T00:00:00.000Z', modified: null, withdrawn: false },
      ...{ severity: 'unknown', vendorSeverity: null },
      affected: [
        {
          ...{ distro: 'debian', release: '11', channel: null, names: 'source' },
          ...{ name: 'fort-validator', arch: null, module: null, scheme: 'deb' },
          ...{ status: 'fixed', fixed: '1.5.3-1~deb11u1', note: null },
        },
      ],
    });
  });

  test('one entry may name several packages and releases, why there is no fix, and remarks', async () => {
    const { advisories, problems } = await parse(
      [
        '[29 Mar 2023] DSA-5380-1 two - security update',
        '        {CVE-2023-1393 CVE-2023-1}',
        '\t[bullseye] - one 2:1.20.11-1+deb11u6 (bug #1; medium)',
        ' \t[buster] - one <not-affected> (Vulnerable code not present)',
        '\t[buster] - two <end-of-life>',
        '\t[stretch] - two <unfixed>',
        '\tNOTE: free text',
        '',
      ].join('\n'),
    );
    expect(problems).toEqual([]);
    expect(advisories[0]?.cves).toEqual(['CVE-2023-1393']);
    expect(
      advisories[0]?.affected.map(({ release, name, status, fixed, note }) =>
        [release, name, status, fixed, note].join(' '),
      ),
    ).toEqual([
      '11 one fixed 2:1.20.11-1+deb11u6 ',
      '10 one not-affected  Vulnerable code not present',
      '10 two affected  end-of-life',
      '9 two affected  unfixed',
    ]);
  });

  test.each([
    ['\t[nosuch] - one 1.0-1', 'release', 'there is no release nosuch'],
    ['\t[buster] - one v1', 'one of buster', 'does not start with a digit'],
    ['\t[buster] one 1.0', 'package', 'cannot be read'],
    ['\twhat is this', 'package', 'cannot be read'],
  ])('%j is named, and what is beside it kept', async (line, field, reason) => {
    const { advisories, problems } = await parse(
      `[29 Mar 2023] DSA-1-1 a - b\n${line}\n\t[buster] - good 1.0-1\n`,
    );
    expect(problems).toMatchObject([{ file: 'data/DSA/list', record: 'DSA-1-1 (line 2)', field }]);
    expect(problems[0]?.reason).toContain(reason);
    expect(advisories[0]?.affected.map(({ name }) => name)).toEqual(['good']);
  });

  test.each([
    ['30 Dec 2021', '2021-12-30T00:00:00.000Z'],
    ['August 28th, 2005', '2005-08-28T00:00:00.000Z'],
    ['May 22nd, 2007', '2007-05-22T00:00:00.000Z'],
    ['30 Feb 2021', null],
    ['28 xyz 2005', null],
  ])('dates as both lists write them: %s', async (date, published) => {
    const { advisories } = await parse(`[${date}] DTSA-1-1 a - b\n`);
    expect(advisories).toMatchObject([{ id: 'DTSA-1-1', published }]);
  });

  test('what follows a beginning that cannot be read belongs to nothing', async () => {
    const { advisories, problems } = await parse(
      '[29 Mar 2023] XSA-1 a - b\n\t[buster] - one 1.0-1\n[30 Feb 2023] DSA-2-1 c\n',
    );
    expect(problems).toMatchObject([{ record: 'line 1' }]);
    expect(advisories).toMatchObject([{ id: 'DSA-2-1', published: null, affected: [] }]);
  });
});
