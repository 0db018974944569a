import type { Finding } from '../../../core/advisories/match.ts';
import { formatTable } from '../../print.ts';
import { problemText } from '../../problem-text.ts';
import type { FeedsRead } from './read-feeds.ts';

const order = ['critical', 'high', 'medium', 'low', 'unknown'] as const;

/** Findings of one package and fix, however many advisories name it. */
interface Line {
  first: Finding;
  advisories: string[];
}

const linesOf = (findings: readonly Finding[]): Line[] => {
  const lines = new Map<string, Line>();
  for (const one of findings) {
    const key = [one.package, one.arch, one.installed, one.fixed].join(' ');
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { first: one, advisories: [one.advisory] });
    else {
      known.advisories.push(one.advisory);
      if (order.indexOf(one.severity) < order.indexOf(known.first.severity)) known.first = one;
    }
  }
  return [...lines.values()].sort(
    (a, b) =>
      order.indexOf(a.first.severity) - order.indexOf(b.first.severity) ||
      a.first.package.localeCompare(b.first.package),
  );
};

const named = (advisories: readonly string[]): string => {
  const [first = '', ...more] = [...new Set(advisories)];
  return more.length === 0 ? first : `${first} and ${more.length} more`;
};

const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const section = (heading: string, findings: readonly Finding[], width: number): string[] => {
  const lines = linesOf(findings);
  if (lines.length === 0) return [];
  const fixed = lines.some(({ first }) => first.fixed !== null);
  return [
    `${heading} (${lines.length}):`,
    formatTable(
      ['severity', 'package', 'installed', ...(fixed ? ['fixed in'] : []), 'advisory'],
      lines.map(({ first, advisories }) => [
        first.severity,
        first.package,
        first.installed,
        ...(fixed ? [first.fixed ?? ''] : []),
        named(advisories),
      ]),
      width,
    ),
    '',
  ];
};

export interface MatchReport extends Pick<
  FeedsRead,
  'advisories' | 'concerning' | 'beyond' | 'problems'
> {
  platform: string;
  packages: number;
  findings: readonly Finding[];
}

/** What the host has not, and advisories for its packages want. */
const beyondText = ({ advisories, channels }: MatchReport['beyond']): string[] =>
  advisories === 0
    ? []
    : [
        `${countOf(advisories, 'advisory', 'advisories')} for packages of this host ${
          advisories === 1 ? 'is' : 'are'
        } for channels that it does not have: ${[...channels].sort().join(', ')} (--channel says that it does)`,
      ];

/** What is to be known of an array of findings that cannot say it. */
export const notesOf = (
  platform: string,
  { advisories, concerning, beyond }: Pick<MatchReport, 'advisories' | 'concerning' | 'beyond'>,
): string[] => [
  ...(advisories > 0 && concerning === 0
    ? [`none of ${advisories} advisories is for ${platform}`]
    : []),
  ...beyondText(beyond),
];

const packageOf = ({ package: name, arch }: Finding): string => `${name} ${arch}`;

/** What a person wants to know of it: what to upgrade, what has no fix, and how much was looked at. */
export const matchText = (
  { platform, packages, advisories, concerning, beyond, findings, problems }: MatchReport,
  { verbose, width }: { verbose: boolean; width: number },
): string => {
  const of = (state: Finding['state']): Finding[] => findings.filter((one) => one.state === state);
  const [open, applied] = [of('pending'), of('applied')];
  const upgrades = open.filter(({ reboot }) => reboot !== true);
  const running = open.filter(({ reboot }) => reboot === true);
  const pending = upgrades.filter(({ kind }) => kind === 'security');
  const wanting = new Set(pending.map(packageOf));
  const others = upgrades.filter((one) => one.kind !== 'security' && !wanting.has(packageOf(one)));
  return [
    ...section('To be upgraded', pending, width),
    ...(verbose ? section('Bug fixes and enhancements to be had', others, width) : []),
    ...section('Installed, but an older kernel runs: reboot', running, width),
    ...section('Affected, and there is no fix', of('no-fix'), width),
    ...(verbose ? section('Fixed already', applied, width) : []),
    `${countOf(packages, 'package')} of ${platform}, ${countOf(advisories, 'advisory', 'advisories')}${
      advisories > 0 && concerning === 0 ? ', none of which is for it' : ''
    }: ${
      wanting.size === 0
        ? 'nothing is to be upgraded'
        : `${countOf(wanting.size, 'package')} ${wanting.size === 1 ? 'is' : 'are'} to be upgraded`
    }${others.length === 0 ? '' : `, and ${countOf(new Set(others.map(packageOf)).size, 'other')} for bug fixes and enhancements alone`}.`,
    ...beyondText(beyond),
    ...(problems.length === 0
      ? []
      : [
          `${countOf(problems.length, 'part')} of the feeds could not be used; the first: ${problemText(problems[0])}`,
        ]),
  ].join('\n');
};
