import type { ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { isoTime } from '../iso-time.ts';
import { problemOf } from '../problem-of.ts';
import { readJson } from '../read-json.ts';
import { wantedFiles } from '../wanted-files.ts';
import { Notice, noticeRows } from './notice.ts';

/** Times are in UTC, and do not say so. */
const utc = (text: string): string => (/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);

const parseNotice = function* (file: string, json: unknown): Generator<ParsedRecord> {
  const read = Notice.safeParse(json);
  if (!read.success) {
    const id = (json as { id?: unknown } | null)?.id;
    const record = typeof id === 'string' ? id.slice(0, 80) : '';
    for (const { path, message } of read.error.issues.slice(0, 5)) {
      const field = path.map(String).join('.');
      yield { kind: 'problem', problem: { file, record, field, reason: message } };
    }
    return;
  }
  const notice = read.data;
  const { rows, problems } = noticeRows(notice);
  for (const problem of problems)
    yield { kind: 'problem', problem: { file, record: notice.id, ...problem } };
  yield {
    kind: 'advisory',
    advisory: {
      ...{ feed: 'ubuntu-notices', id: notice.id, kind: 'security', title: notice.title ?? '' },
      cves: cveIds([...(notice.cves_ids ?? []), ...(notice.cves ?? []).map(({ id }) => id)]),
      published: isoTime(notice.published === null ? null : utc(notice.published ?? '')),
      modified: null,
      withdrawn: notice.is_hidden === true,
      ...{ severity: 'unknown', vendorSeverity: null, affected: rows },
    },
  };
};

/**
 * Ubuntu's security notices, as pages of `https://ubuntu.com/security/notices.json` or one by one. They say no severity; that
 * stands with the CVEs. One that is hidden counts as taken back.
 */
export const ubuntuNotices: AdvisorySource = {
  name: 'ubuntu-notices',
  parse: async function* (files) {
    for await (const file of wantedFiles(files, (name) => /\.json$/i.test(name))) {
      try {
        const page = await readJson(file);
        const notices = (page as { notices?: unknown } | null)?.notices;
        for (const notice of Array.isArray(notices) ? (notices as unknown[]) : [page])
          yield* parseNotice(file.name, notice);
      } catch (error) {
        yield problemOf(file.name, error);
      }
    }
  },
};
