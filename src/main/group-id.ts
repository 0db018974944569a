import { readFile } from 'node:fs/promises';

/** Number of a group in group(5); null where there is none of that name. */
export const groupIdOf = async (name: string): Promise<number | null> => {
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const found = groups
    .split('\n')
    .map((line) => line.split(':'))
    .find(([group]) => group === name)?.[2];
  return found === undefined ? null : Number(found);
};
