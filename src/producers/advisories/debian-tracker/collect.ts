import type { Advisory, AffectedRow, FeedProblem } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import { severityOf } from '../severity-of.ts';
import { readRelease, TrackerIssue } from './issue.ts';

const issueId = /^(CVE-\d{4}-\d{4,}|TEMP-[A-Za-z0-9-]+)$/;
const sourceName = /^[a-z0-9][a-z0-9+.-]+$/;

/** Of an issue, what was said so far: the tracker goes by packages, and some issues are of several. */
interface Collected {
  title: string;
  urgency: string | null;
  affected: AffectedRow[];
}

const severities = ['unknown', 'low', 'medium', 'high', 'critical'] as const;
const rank = (urgency: string | null): number =>
  severities.indexOf(severityOf((urgency ?? '').replace(/\*+$/, '')));

/** Several times what there is, and what fits into memory. */
const MOST_ROWS = 750_000;
const LONGEST_TITLE = 300;

export interface Collection {
  /** Takes what is said of one source package; tells what of it cannot be used. Throws beyond what memory is for. */
  add: (file: string, name: string, issues: unknown) => Generator<FeedProblem>;
  advisories: () => Generator<Advisory>;
}

/** The issues of a tracker, each with its rows in all packages. */
export const newCollection = (): Collection => {
  const issues = new Map<string, Collected>();
  let rows = 0;

  const addIssue = function* (
    name: string,
    id: string,
    json: unknown,
  ): Generator<Omit<FeedProblem, 'file' | 'record'>> {
    if (!issueId.test(id)) {
      yield { field: '', reason: 'this is no id of an issue' };
      return;
    }
    const read = TrackerIssue.safeParse(json);
    if (!read.success) {
      for (const { path, message } of read.error.issues.slice(0, 5))
        yield { field: path.join('.'), reason: message };
      return;
    }
    const collected = issues.get(id) ?? { title: '', urgency: null, affected: [] };
    issues.set(id, collected);
    if (collected.title === '')
      collected.title = (read.data.description ?? '').slice(0, LONGEST_TITLE);
    for (const [codename, release] of Object.entries(read.data.releases)) {
      const found = readRelease(name, codename, release);
      if (found.kind === 'problem') {
        const field = ['releases', codename.slice(0, 80), found.field].join('.').replace(/\.$/, '');
        yield { field, reason: found.reason };
      } else if (found.kind === 'row') {
        collected.affected.push(found.row);
        if (rank(found.urgency) > rank(collected.urgency)) collected.urgency = found.urgency;
        rows += 1;
        if (rows > MOST_ROWS) throw new Error(`the tracker says more than ${MOST_ROWS} things`);
      }
    }
  };

  return {
    add: function* (file, name, json) {
      if (!sourceName.test(name)) {
        const record = name.slice(0, 80);
        yield { file, record, field: '', reason: 'this is no name of a package' };
        return;
      }
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        yield { file, record: name, field: '', reason: 'its issues are no object' };
        return;
      }
      for (const [id, issue] of Object.entries(json))
        for (const problem of addIssue(name, id, issue))
          yield { file, record: `${name} ${id.slice(0, 80)}`, ...problem };
    },
    advisories: function* () {
      for (const [id, { title, urgency, affected }] of issues)
        yield {
          ...({ feed: 'debian-tracker', id, kind: 'security', title, cves: cveIds([id]) } as const),
          ...({ published: null, modified: null, withdrawn: false } as const),
          severity: severities[rank(urgency)] ?? 'unknown',
          ...{ vendorSeverity: urgency, affected },
        };
    },
  };
};
