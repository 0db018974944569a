import type {
  Advisory,
  AffectedRow,
  FeedProblem,
  ParsedRecord,
} from '../../../core/advisories/advisory.ts';
import { releaseOf } from '../../../core/advisories/release-of.ts';
import { parseDebVersion } from '../../../core/versions/compare-deb-versions.ts';
import { cveIds } from '../cve-ids.ts';

const header = /^\[([^\]]{6,30})\] (D[SLT]S?A-\d+(?:-\d+)?) (.+)$/;
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** `30 Dec 2021`, and `August 28th, 2005` in the list of DTSAs, in ISO 8601; null: there is no such day. */
const isoDate = (text: string): string | null => {
  const {
    day = '',
    month = '',
    year = '',
  } = (
    /^(?<day>\d{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4})$/.exec(text) ??
    /^(?<month>[A-Z][a-z]{2})[a-z]* (?<day>\d{1,2})(?:st|nd|rd|th), (?<year>\d{4})$/.exec(text)
  )?.groups ?? {};
  const at = months.indexOf(month);
  if (month === '' || at < 0 || at % 3 > 0) return null;
  const date = new Date(Date.UTC(Number(year), at / 3, Number(day)));
  return date.getUTCDate() === Number(day) ? date.toISOString() : null;
};

/** `[release] - source version (remark)`: the version holds the fix, or says in brackets why there is none. */
const packageLine = /^\[([a-z]+)\]\s+-\s+(\S+)\s+(<[a-z-]+>|[^\s<(]+)\s*(\(.*\))?$/;
const source = /^[a-z0-9][a-z0-9+.-]+$/i;

const rowOf = (line: string): AffectedRow | { field: string; reason: string } => {
  const [, codename = '', name = '', version = '', remark = ''] = packageLine.exec(line) ?? [];
  if (codename === '') return { field: 'package', reason: `cannot be read: ${line.slice(0, 200)}` };
  const release = releaseOf('debian', codename);
  if (release === null)
    return { field: 'release', reason: `there is no release ${codename.slice(0, 80)}` };
  if (!source.test(name))
    return { field: 'package', reason: `${name.slice(0, 80)} is no name of a package` };
  const common = {
    ...({ distro: 'debian', release, channel: null, names: 'source', name } as const),
    ...({ arch: null, module: null, scheme: 'deb' } as const),
  };
  const note = remark === '' ? null : remark.slice(1, -1);
  switch (version) {
    case '<not-affected>':
      return { ...common, status: 'not-affected', fixed: null, note };
    case '<end-of-life>':
    case '<unfixed>':
      return { ...common, status: 'affected', fixed: null, note: version.slice(1, -1) };
  }
  const parsed = parseDebVersion(version);
  if (!parsed.ok) return { field: `${name.slice(0, 80)} of ${codename}`, reason: parsed.error };
  return { ...common, status: 'fixed', fixed: version, note: null };
};

interface Entry {
  advisory: Advisory;
  problems: FeedProblem[];
}

const begin = (line: string): Advisory | null => {
  const [, date = '', id = '', title = ''] = header.exec(line) ?? [];
  if (id === '') return null;
  return {
    ...({ feed: 'debian-lists', id, kind: 'security', title: title.trim(), cves: [] } as const),
    ...({ published: isoDate(date), modified: null, withdrawn: false } as const),
    ...({ severity: 'unknown', vendorSeverity: null, affected: [] } as const),
  };
};

/**
 * The lists of DSAs and DLAs as the security tracker keeps them (`data/DSA/list`, `data/DLA/list`; format: the
 * tracker's doc/security_tracker.txt): a line with date, id and title, and indented lines that belong to it.
 */
export const parseDebianList = async function* (
  file: string,
  lines: AsyncIterable<string>,
): AsyncGenerator<ParsedRecord> {
  let entry: Entry | null = null;
  const over = function* ({ advisory, problems }: Entry): Generator<ParsedRecord> {
    yield { kind: 'advisory', advisory };
    for (const problem of problems) yield { kind: 'problem', problem };
  };
  let number = 0;
  for await (const raw of lines) {
    number += 1;
    const line = raw.trim();
    if (line === '') continue;
    if (!/^\s/.test(raw)) {
      if (entry !== null) yield* over(entry);
      entry = null;
      const advisory = begin(line);
      if (advisory !== null) entry = { advisory, problems: [] };
      else {
        const reason = `this is no beginning of an entry: ${line.slice(0, 80)}`;
        yield { kind: 'problem', problem: { file, record: `line ${number}`, field: '', reason } };
      }
      continue;
    }
    // What follows a beginning that cannot be read belongs to nothing.
    if (entry === null || /^(NOTE|TODO):/.test(line)) continue;
    const { advisory, problems } = entry;
    if (/^\{[^{}]*\}$/.test(line)) {
      advisory.cves = cveIds([...advisory.cves, ...line.slice(1, -1).split(/\s+/)]);
      continue;
    }
    const row = rowOf(line);
    if ('distro' in row) advisory.affected.push(row);
    else problems.push({ file, record: `${advisory.id} (line ${number})`, ...row });
  }
  if (entry !== null) yield* over(entry);
};
