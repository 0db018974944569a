import type { ShadowedFile, StaleFile, Unreadable } from '../../core/observation.ts';
import { shadowedText } from '../../core/stale/verdict.ts';
import type { ScannedContainer } from './scan-report.ts';

/** Containers of which the same is to be said, worst first. */
export interface ScanGroup {
  /** What was found, one line for each file. */
  findings: string[];
  /** Service → names, in order; '' holds those without a service. */
  members: Map<string, string[]>;
}

const staleFinding = ({ command, path, kind, process }: StaleFile): string => {
  const who = process === 'monitor' ? 'its LXC monitor' : command;
  return kind === 'removed'
    ? `${who} maps ${path}, which the host has removed`
    : `${who} maps ${path}`;
};

const unreadableFinding = ({ what, reason }: Unreadable): string =>
  // A process id is another one in each container, and says nothing here.
  `cannot read ${what.replace(/^process \d+ /, '')}: ${reason}`;

const unique = (lines: readonly string[]): string[] => [...new Set(lines)];

const findingsOf = (
  part: 'stale' | 'shadowed' | 'unreadable',
  { stale, shadowed, unreadable }: ScannedContainer,
): string[] => {
  switch (part) {
    case 'stale': {
      // The container's own processes first: they are what serves.
      const own = stale.filter(({ process }) => process === 'container');
      const monitor = stale.filter(({ process }) => process === 'monitor');
      return unique([...own, ...monitor].map(staleFinding));
    }
    case 'shadowed':
      return unique(shadowed.map((one: ShadowedFile) => shadowedText(one)));
    case 'unreadable':
      return unique(unreadable.map(unreadableFinding));
  }
};

/** Groups containers by what was found of them; those of which nothing was found are left out. */
export const groupScanned = (
  part: 'stale' | 'shadowed' | 'unreadable',
  containers: readonly ScannedContainer[],
): ScanGroup[] => {
  const groups = new Map<string, ScanGroup>();
  for (const container of containers) {
    const findings = findingsOf(part, container);
    if (findings.length === 0) continue;
    const key = JSON.stringify([...findings].sort());
    const group = groups.get(key) ?? { findings, members: new Map<string, string[]>() };
    groups.set(key, group);
    const service = container.services.join(', ');
    group.members.set(service, [...(group.members.get(service) ?? []), container.name]);
  }
  const size = ({ members }: ScanGroup): number =>
    [...members.values()].reduce((sum, names) => sum + names.length, 0);
  return [...groups.values()].sort((a, b) => size(b) - size(a));
};

/** `web-01..web-07, web-09, db`: names that count on are drawn together from three on. */
export const nameRanges = (names: readonly string[]): string => {
  const sorted = [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const numbered = (name: string): { stem: string; digits: string } => {
    const match = /^(.*?)(\d+)$/.exec(name);
    return { stem: match?.[1] ?? name, digits: match?.[2] ?? '' };
  };
  const follows = (a: string, b: string): boolean => {
    const [left, right] = [numbered(a), numbered(b)];
    return (
      left.digits !== '' &&
      left.stem === right.stem &&
      Number(right.digits) === Number(left.digits) + 1 &&
      (left.digits.length === right.digits.length || !right.digits.startsWith('0'))
    );
  };
  const runs: string[][] = [];
  for (const name of sorted) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && follows(last, name)) run.push(name);
    else runs.push([name]);
  }
  return runs
    .map((run) => (run.length < 3 ? run.join(', ') : `${run[0] ?? ''}..${run.at(-1) ?? ''}`))
    .join(', ');
};
