import type {
  Advisory,
  AffectedRow,
  FeedProblem,
  ParsedRecord,
} from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import { isoTime } from '../iso-time.ts';
import { OsvAffected, OsvRecord } from './osv-record.ts';
import { rowsOf, versionProblem } from './rows-of.ts';
import { severityOfOsv } from './severity.ts';

const kindOf = (id: string): Advisory['kind'] =>
  /^(AL|RL|RH|EL)BA-/.test(id)
    ? 'bugfix'
    : /^(AL|RL|RH|EL)EA-/.test(id)
      ? 'enhancement'
      : 'security';

const keyOf = (row: AffectedRow): string => JSON.stringify(row);

/** `0.events: expected array`: where in a record something is not as it should be. */
const problemsOf = (
  file: string,
  record: string,
  field: string,
  error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
): FeedProblem[] =>
  error.issues.slice(0, 5).map(({ path, message }) => ({
    ...{ file, record, reason: message },
    field: [field, ...path.map(String)].filter((part) => part !== '').join('.'),
  }));

/** One record of OSV (https://ossf.github.io/osv-schema/, 1.0 to 1.7), parsed from JSON. */
export const parseOsvRecord = function* (file: string, json: unknown): Generator<ParsedRecord> {
  const read = OsvRecord.safeParse(json);
  if (!read.success) {
    const id = (json as { id?: unknown } | null)?.id;
    const name = typeof id === 'string' ? id.slice(0, 200) : '';
    for (const problem of problemsOf(file, name, '', read.error))
      yield { kind: 'problem', problem };
    return;
  }
  const record = read.data;
  const rows = new Map<string, AffectedRow>();
  const readable: OsvAffected[] = [];
  for (const [index, one] of (record.affected ?? []).entries()) {
    const affected = OsvAffected.safeParse(one);
    if (affected.success) {
      readable.push(affected.data);
      for (const row of rowsOf(record.id, affected.data)) {
        const reason = versionProblem(row);
        if (reason === null) rows.set(keyOf(row), row);
        else {
          const field = `affected.${index}.ranges`;
          yield { kind: 'problem', problem: { file, record: record.id, field, reason } };
        }
      }
    } else
      for (const problem of problemsOf(file, record.id, `affected.${index}`, affected.error))
        yield { kind: 'problem', problem };
  }
  yield {
    kind: 'advisory',
    advisory: {
      ...{ feed: 'osv', id: record.id, kind: kindOf(record.id), title: record.summary ?? '' },
      cves: cveIds([
        record.id,
        ...(record.upstream ?? []),
        ...(record.aliases ?? []),
        ...(record.related ?? []),
      ]),
      published: isoTime(record.published),
      modified: isoTime(record.modified),
      withdrawn: typeof record.withdrawn === 'string',
      ...severityOfOsv(record, readable),
      affected: [...rows.values()],
    },
  };
};
