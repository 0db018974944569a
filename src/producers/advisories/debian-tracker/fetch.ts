import { plainFiles } from '../fetch/plain-files.ts';
import { jsonMembers } from '../json-members.ts';

/** The security tracker's JSON, at its own address. */
export const fetchDebianTracker = plainFiles(
  ({ url }) => [{ url, name: 'tracker.json' }],
  async (files) => {
    let records = 0;
    for await (const file of files)
      for await (const member of jsonMembers(file.read())) records += member === '' ? 0 : 1;
    return { records, newest: null };
  },
);
