import type { AffectedRow, FeedProblem, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import { severityOf } from '../severity-of.ts';
import { readRelease, TrackerIssue } from './issue.ts';

const issueId = /^(CVE-\d{4}-\d{4,}|TEMP-[A-Za-z0-9-]+)$/;
const sourceName = /^[a-z0-9][a-z0-9+.-]+$/;
const LONGEST_TITLE = 300;

const severities = ['unknown', 'low', 'medium', 'high', 'critical'] as const;
const rank = (urgency: string | null): number =>
  severities.indexOf(severityOf((urgency ?? '').replace(/\*+$/, '')));

const problem = (place: Pick<FeedProblem, 'file' | 'record'>, field: string, reason: string) =>
  ({ kind: 'problem', problem: { ...place, field, reason } }) satisfies ParsedRecord;

const parseIssue = function* (
  file: string,
  name: string,
  id: string,
  json: unknown,
): Generator<ParsedRecord> {
  const place = { file, record: `${name} ${id.slice(0, 80)}` };
  if (!issueId.test(id)) {
    yield problem(place, '', 'this is no id of an issue');
    return;
  }
  const read = TrackerIssue.safeParse(json);
  if (!read.success) {
    for (const { path, message } of read.error.issues.slice(0, 5))
      yield problem(place, path.map(String).join('.'), message);
    return;
  }
  const affected: AffectedRow[] = [];
  let vendorSeverity: string | null = null;
  for (const [codename, release] of Object.entries(read.data.releases)) {
    const found = readRelease(name, codename, release);
    if (found.kind === 'problem') {
      const field = ['releases', codename.slice(0, 80), found.field].join('.').replace(/\.$/, '');
      yield problem(place, field, found.reason);
    } else if (found.kind === 'row') {
      affected.push(found.row);
      if (rank(found.urgency) > rank(vendorSeverity)) vendorSeverity = found.urgency;
    }
  }
  const title = (read.data.description ?? '').slice(0, LONGEST_TITLE);
  yield {
    kind: 'advisory',
    advisory: {
      ...({ feed: 'debian-tracker', id, kind: 'security', title, cves: cveIds([id]) } as const),
      ...{ published: null, modified: null, withdrawn: false },
      ...{ severity: severities[rank(vendorSeverity)] ?? 'unknown', vendorSeverity, affected },
    },
  };
};

/** What the tracker says of one source package: its issues by their ids. */
export const parsePackage = function* (
  file: string,
  name: string,
  issues: unknown,
): Generator<ParsedRecord> {
  if (!sourceName.test(name))
    yield problem({ file, record: name.slice(0, 80) }, '', 'this is no name of a package');
  else if (typeof issues !== 'object' || issues === null || Array.isArray(issues))
    yield problem({ file, record: name }, '', 'its issues are no object');
  else for (const [id, issue] of Object.entries(issues)) yield* parseIssue(file, name, id, issue);
};
