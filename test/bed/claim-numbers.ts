import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { withFileLock } from './file-lock.ts';
import { processStat } from './processes.ts';

const CLAIMS = '/run/groundswell-bed';

const Claim = z.strictObject({ directory: z.string(), pid: z.int(), startTime: z.string() });
type Claim = z.infer<typeof Claim>;

const claimPath = (number: number): string => join(CLAIMS, `${number}.json`);

const readClaim = async (number: number): Promise<Claim | null> => {
  const text = await readFile(claimPath(number), 'utf8').catch(() => null);
  return text === null ? null : Claim.parse(JSON.parse(text));
};

const holderLives = async (claim: Claim): Promise<boolean> => {
  const stat = await processStat(claim.pid);
  return stat !== null && stat.state !== 'Z' && stat.startTime === claim.startTime;
};

/**
 * Takes host numbers for the bed in `directory`, so that two beds never share links and addresses.
 * Answers the directories of beds that held some of them and whose process is gone: clean those
 * first. Throws when a living process holds one.
 */
export const claimHostNumbers = async (
  numbers: readonly number[],
  directory: string,
): Promise<string[]> => {
  const own = await processStat(process.pid);
  if (own === null) throw new Error('cannot read /proc/self/stat: is /proc mounted?');
  await mkdir(CLAIMS, { recursive: true });
  return withFileLock(join(CLAIMS, 'lock'), async () => {
    const abandoned = new Set<string>();
    for (const number of numbers) {
      const claim = await readClaim(number);
      if (claim === null) continue;
      if (claim.pid !== process.pid && (await holderLives(claim)))
        throw new Error(
          `host number ${number} is in use by the bed in ${claim.directory} (process ${claim.pid}): wait for it to end, or use other numbers`,
        );
      if (claim.directory !== directory) abandoned.add(claim.directory);
    }
    const claim: Claim = { directory, pid: process.pid, startTime: own.startTime };
    for (const number of numbers) await writeFile(claimPath(number), JSON.stringify(claim));
    return [...abandoned];
  });
};

/** Beds whose process is gone, with the numbers they still hold. */
export const abandonedBeds = async (): Promise<Map<string, number[]>> => {
  const found = new Map<string, number[]>();
  for (const name of await readdir(CLAIMS).catch(() => [])) {
    const number = Number(/^(\d+)\.json$/.exec(name)?.[1]);
    const claim = Number.isNaN(number) ? null : await readClaim(number);
    if (claim === null || (await holderLives(claim))) continue;
    found.set(claim.directory, [...(found.get(claim.directory) ?? []), number]);
  }
  return found;
};

/** Gives back what `directory` holds of `numbers`. */
export const releaseHostNumbers = async (
  numbers: readonly number[],
  directory: string,
): Promise<void> => {
  for (const number of numbers)
    if ((await readClaim(number))?.directory === directory) await rm(claimPath(number));
};
