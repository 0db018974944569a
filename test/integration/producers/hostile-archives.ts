import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arbitrary } from 'fast-check';
import { mutatedBytes } from '../../fuzz/mutations.ts';
import { fixtures } from '../../producers/advisories/stored-files.ts';
import { assertBounded } from './hostile-checks.ts';
import { madeArchive } from './hostile-documents.ts';
import type { HostileTarget } from './hostile-target.ts';

const archiveOf = (
  of: string,
  document: string,
  changedOf: () => Arbitrary<Buffer>,
): HostileTarget => ({
  ...{ of, document },
  prepare: (directory) => {
    const path = join(directory, document);
    const check = async (content: string | Uint8Array): Promise<void> => {
      writeFileSync(path, content);
      await assertBounded(path);
    };
    return Promise.resolve({ changed: changedOf(), check });
  },
});

const stored = (of: string, ...documents: string[]): HostileTarget[] =>
  documents.map((document) =>
    archiveOf(of, document, () => mutatedBytes(readFileSync(join(fixtures, 'archives', document)))),
  );

/** What is unpacked, by what unpacks it. */
export const archiveTargets: readonly HostileTarget[] = [
  ...stored('zip and tar', 'all.zip'),
  archiveOf('zip and tar', 'made.zip', madeArchive),
  ...stored('zstd', 'csaf_advisories.tar.zst', 'updateinfo.xml.zst'),
  ...stored('xz', 'osv-all.tar.xz', 'updateinfo.xml.xz', '300-million-zeros.xz.gz'),
  ...stored('bzip2', 'usn-database.json.bz2'),
];
