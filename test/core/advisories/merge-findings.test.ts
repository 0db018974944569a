import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../src/core/advisories/match.ts';
import { mergeFindings } from '../../../src/core/advisories/merge-findings.ts';

const finding = (more: Partial<Finding>): Finding => ({
  ...{ feed: 'redhat-csaf', advisory: 'RHSA-2024:6989', kind: 'security' },
  cves: ['CVE-2024-45490'],
  ...{ package: 'expat', arch: 'x86_64', installed: '2.2.5-13.el8', fixed: '2.2.5-15.el8_10' },
  ...{ state: 'pending', severity: 'medium', vendorSeverity: 'Moderate', channel: null, why: '' },
  ...more,
});
const vex = (more: Partial<Finding> = {}): Finding =>
  finding({ advisory: 'CVE-2024-45490', ...more });

const left = (...findings: Finding[]): string[] =>
  mergeFindings(findings).map(({ advisory, state, severity }) =>
    [advisory, state, severity].join(' '),
  );

describe('RHSA and VEX', () => {
  test.each<[string, Finding[], string[]]>([
    ['of one fix are one finding', [finding({}), vex()], ['RHSA-2024:6989 pending medium']],
    ['in any order', [vex(), finding({})], ['RHSA-2024:6989 pending medium']],
    [
      'no fix, and there is one',
      [vex({ fixed: null, state: 'no-fix' }), finding({ state: 'applied' })],
      ['RHSA-2024:6989 applied medium'],
    ],
    [
      'another fix is another finding',
      [finding({ state: 'applied' }), vex({ fixed: '2.2.5-17.el8_10' })],
      ['RHSA-2024:6989 applied medium', 'CVE-2024-45490 pending medium'],
    ],
    [
      'another package',
      [finding({ package: 'expat-devel' }), vex()],
      ['RHSA-2024:6989 pending medium', 'CVE-2024-45490 pending medium'],
    ],
    [
      'another CVE',
      [finding({ cves: ['CVE-2024-45491'] }), vex()],
      ['RHSA-2024:6989 pending medium', 'CVE-2024-45490 pending medium'],
    ],
    ['VEX alone', [vex({ fixed: null, state: 'no-fix' })], ['CVE-2024-45490 no-fix medium']],
    [
      'an advisory that names no fix leaves the other as it is',
      [finding({ fixed: null, state: 'no-fix' }), vex()],
      ['RHSA-2024:6989 no-fix medium', 'CVE-2024-45490 pending medium'],
    ],
  ])('%s', (_, findings, expected) => {
    expect(left(...findings)).toEqual(expected);
  });
});

describe("Debian's tracker", () => {
  const dla = finding({
    ...{ feed: 'debian-lists', advisory: 'DLA-1554-2', severity: 'unknown', cves: [] },
    ...{ package: '389-ds-base', installed: '1.3.3.5-4', fixed: '1.3.3.5-4+deb8u5' },
  });
  const said = (cve: string, more: Partial<Finding> = {}): Finding =>
    ({
      ...dla,
      feed: 'debian-tracker',
      advisory: cve,
      cves: [cve],
      severity: 'low',
      ...more,
    }) as const;

  test.each<[string, Finding[], [string, string[]][]]>([
    [
      'what has the fix of an advisory is of that advisory, although it does not name it',
      [said('CVE-2018-2'), dla, said('CVE-2018-1', { severity: 'high' })],
      [['DLA-1554-2 pending high', ['CVE-2018-1', 'CVE-2018-2']]],
    ],
    [
      'an issue that has no CVE yet, too',
      [said('TEMP-0000000-0CA7E3', { cves: [] }), dla, said('CVE-2018-1')],
      [['DLA-1554-2 pending low', ['CVE-2018-1']]],
    ],
    [
      'what OSV has by a CVE is the advisory of no other CVE',
      [{ ...dla, feed: 'osv', advisory: 'DEBIAN-CVE-2018-2' }, said('CVE-2018-1')],
      [
        ['DEBIAN-CVE-2018-2 pending unknown', []],
        ['CVE-2018-1 pending low', ['CVE-2018-1']],
      ],
    ],
    [
      'two issues are no advisory of each other',
      [said('TEMP-0000000-0CA7E3', { cves: [] }), said('CVE-2018-1')],
      [
        ['TEMP-0000000-0CA7E3 pending low', []],
        ['CVE-2018-1 pending low', ['CVE-2018-1']],
      ],
    ],
    [
      'another fix is another matter',
      [dla, said('CVE-2018-1', { fixed: '1.3.3.5-4+deb8u4' })],
      [
        ['DLA-1554-2 pending unknown', []],
        ['CVE-2018-1 pending low', ['CVE-2018-1']],
      ],
    ],
    [
      'so is none',
      [dla, said('CVE-2018-1', { fixed: null, state: 'no-fix' })],
      [
        ['DLA-1554-2 pending unknown', []],
        ['CVE-2018-1 no-fix low', ['CVE-2018-1']],
      ],
    ],
    [
      'an advisory that names it comes first',
      [dla, { ...dla, advisory: 'DLA-1554-1', cves: ['CVE-2018-1'] }, said('CVE-2018-1')],
      [
        ['DLA-1554-2 pending unknown', []],
        ['DLA-1554-1 pending low', ['CVE-2018-1']],
      ],
    ],
  ])('%s', (_, findings, expected) => {
    expect(
      mergeFindings(findings).map(({ advisory, state, severity, cves }) => [
        [advisory, state, severity].join(' '),
        cves,
      ]),
    ).toEqual(expected);
  });
});

describe('advisories', () => {
  test('that two feeds carry are one, with what each of them knows', () => {
    const merged = mergeFindings([
      finding({ feed: 'osv', severity: 'unknown', vendorSeverity: null }),
      finding({ cves: ['CVE-2024-45491'] }),
    ]);
    expect(merged).toMatchObject([
      { feed: 'osv', severity: 'medium', cves: ['CVE-2024-45490', 'CVE-2024-45491'] },
    ]);
  });

  test('of different fixes for one CVE stay', () => {
    const next = finding({ advisory: 'RHSA-2024:7000', fixed: '2.2.5-17.el8_10' });
    expect(left(finding({}), next)).toHaveLength(2);
  });

  test('of streams for one package stay', () => {
    expect(left(finding({}), finding({ fixed: '2.2.5-18.el8_10' }))).toHaveLength(2);
  });

  test('take the worst that is said of their CVEs, where they say nothing themselves', () => {
    const silent = { severity: 'unknown', vendorSeverity: null } as const;
    const dsa = finding({
      ...{ feed: 'debian-lists', advisory: 'DSA-1-1', cves: ['CVE-2024-1', 'CVE-2024-2'] },
      ...silent,
    });
    const tracker = (cve: string, severity: Finding['severity']): Finding =>
      finding({ feed: 'debian-tracker', advisory: cve, cves: [cve], severity });
    expect(left(dsa, tracker('CVE-2024-1', 'low'), tracker('CVE-2024-2', 'high'))).toEqual([
      'DSA-1-1 pending high',
    ]);
  });

  test('records of OSV that go by a CVE are advisories of their own, as osv.dev has it', () => {
    const usn = finding({ feed: 'osv', advisory: 'USN-8512-1' });
    expect(left(usn, finding({ feed: 'osv', advisory: 'UBUNTU-CVE-2024-45490' }))).toHaveLength(2);
  });
});
