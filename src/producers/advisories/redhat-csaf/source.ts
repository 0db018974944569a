import { posix } from 'node:path';
import type { ParsedRecord } from '../../../core/advisories/advisory.ts';
import type { AdvisorySource, FeedFile } from '../feed-file.ts';
import { jsonElements } from '../json-elements.ts';
import { problem } from '../parsed-record.ts';
import { readDeletions } from './read-deletions.ts';
import { csafToAdvisory, withdrawnAdvisory } from './to-advisory.ts';

/** What lies beside the documents. */
const NOT_DOCUMENTS =
  /\.(?:csv|txt|asc|sig|sha\d+|html|md)$|^(?:provider-metadata|index|service|category|feed[^/]*)\.json$/;

async function* parseDocument(file: FeedFile): AsyncGenerator<ParsedRecord> {
  for await (const element of jsonElements(file.read()))
    if (element.kind === 'value') yield* csafToAdvisory(file.name, element.value);
    else yield problem(file.name, '', '', element.reason);
}

async function* parse(files: AsyncIterable<FeedFile>): AsyncGenerator<ParsedRecord> {
  const deletedAt = new Map<string, string>();
  /** When the documents read were last changed: one may have come back since it was deleted. */
  const modifiedAt = new Map<string, string>();
  for await (const file of files) {
    const name = posix.basename(file.name);
    if (name === 'deletions.csv') {
      for await (const deletion of readDeletions(file))
        if (!deletion.ok) yield problem(file.name, `line ${deletion.line}`, '', deletion.reason);
        else if (deletion.deleted > (deletedAt.get(deletion.id) ?? ''))
          deletedAt.set(deletion.id, deletion.deleted);
      continue;
    }
    if (NOT_DOCUMENTS.test(name)) continue;
    for await (const record of parseDocument(file)) {
      if (record.kind === 'advisory')
        modifiedAt.set(record.advisory.id, record.advisory.modified ?? '');
      yield record;
    }
  }
  for (const [id, deleted] of deletedAt)
    if ((modifiedAt.get(id) ?? '') <= deleted)
      yield { kind: 'advisory', advisory: withdrawnAdvisory(id, deleted) };
}

/**
 * Red Hat's CSAF documents, in both layouts: advisories, and VEX with what is affected and not fixed. What `deletions.csv`
 * names comes last, as withdrawn, also when its document was there.
 */
export const redhatCsaf: AdvisorySource = { name: 'redhat-csaf', parse };
