import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const SkippedTest = z.strictObject({ file: z.string(), name: z.string() });
/** A test that Jest found and did not run. */
export type SkippedTest = z.infer<typeof SkippedTest>;

/** What `name-skipped.js` wrote to the file: one line of JSON for each test; no file: none. */
export const readSkipped = async (path: string): Promise<SkippedTest[]> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => SkippedTest.parse(JSON.parse(line)));
};
