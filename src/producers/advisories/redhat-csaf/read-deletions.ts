import { errorText } from '../../../core/error-text.ts';
import type { FeedFile } from '../feed-file.ts';
import { linesOf } from '../lines-of.ts';
import { isoTime } from '../iso-time.ts';

export type Deletion =
  { ok: true; id: string; deleted: string } | { ok: false; line: number; reason: string };

const LINE = /^"?(?:[^",]*\/)?(cve|rhsa|rhba|rhea)-(\d{4})[-_](\d{1,10})\.json"?,"?([^",]*)"?$/;

const deletionOf = (line: number, text: string): Deletion => {
  const [, kind, year, number, time] = LINE.exec(text) ?? [];
  const deleted = isoTime(time ?? '');
  if (kind === undefined || year === undefined || number === undefined)
    return { ok: false, line, reason: 'no path of a document with the time of its deletion' };
  if (deleted === null) return { ok: false, line, reason: 'no time' };
  const separator = kind === 'cve' ? '-' : ':';
  return { ok: true, id: `${kind.toUpperCase()}-${year}${separator}${number}`, deleted };
};

/** Reads `deletions.csv`: which documents were taken back, and when. */
export async function* readDeletions(file: FeedFile): AsyncGenerator<Deletion> {
  let line = 0;
  try {
    for await (const text of linesOf(file.read())) {
      line += 1;
      if (text.trim() !== '') yield deletionOf(line, text.trim());
    }
  } catch (error) {
    yield { ok: false, line, reason: errorText(error) };
  }
}
