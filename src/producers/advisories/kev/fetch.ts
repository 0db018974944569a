import { plainFiles } from '../fetch/plain-files.ts';
import { jsonElements } from '../json-elements.ts';

/** A catalogue in one JSON file. */
export const fetchKev = plainFiles(
  ({ url }) => [{ url, name: 'kev.json' }],
  async (files) => {
    let records = 0;
    for await (const file of files)
      for await (const element of jsonElements(file.read(), ['vulnerabilities']))
        records += element.kind === 'value' ? 1 : 0;
    return { records, newest: null };
  },
);
