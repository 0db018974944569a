import type { AdvisorySource } from '../feed-file.ts';
import { problemOf } from '../problem-of.ts';
import { readJson } from '../read-json.ts';
import { wantedFiles } from '../wanted-files.ts';
import { parseOsvRecord } from './parse-osv.ts';

/** Rocky's API wraps its records; one record for each file is usual. */
const recordsIn = (json: unknown): unknown[] => {
  if (Array.isArray(json)) return json;
  const wrapped = (json as { advisories?: unknown } | null)?.advisories;
  return Array.isArray(wrapped) ? wrapped : [json];
};

/** OSV records in JSON files (https://ossf.github.io/osv-schema/): of a directory, of `all.zip`, or of an API. */
export const osv: AdvisorySource = {
  name: 'osv',
  parse: async function* (files) {
    for await (const file of wantedFiles(files, (name) => /\.json(\.gz)?$/i.test(name))) {
      try {
        for (const record of recordsIn(await readJson(file)))
          yield* parseOsvRecord(file.name, record);
      } catch (error) {
        yield problemOf(file.name, error);
      }
    }
  },
};
