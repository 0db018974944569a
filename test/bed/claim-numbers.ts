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

/** Every claim that there is, by its number. */
const readClaims = async (): Promise<Map<number, Claim>> => {
  const found = new Map<number, Claim>();
  for (const name of await readdir(CLAIMS)) {
    const number = Number(/^(\d+)\.json$/.exec(name)?.[1]);
    const claim = Number.isNaN(number) ? null : await readClaim(number);
    if (claim !== null) found.set(number, claim);
  }
  return found;
};

/** Runs `work` while no other process takes host numbers, or cleans up for one that is gone. */
const whileNobodyClaims = async <T>(work: () => Promise<T>): Promise<T> => {
  await mkdir(CLAIMS, { recursive: true });
  return withFileLock(join(CLAIMS, 'lock'), work);
};

/**
 * Takes host numbers for the bed in `directory`, so that two beds never share links and addresses.
 * Calls `cleanUp` with the directory of each bed that held some of them and whose process is gone.
 * Throws when a living process holds one.
 */
export const claimHostNumbers = (
  numbers: readonly number[],
  directory: string,
  cleanUp: (abandoned: string) => Promise<void>,
): Promise<void> =>
  whileNobodyClaims(async () => {
    const own = await processStat(process.pid);
    if (own === null) throw new Error('cannot read /proc/self/stat: is /proc mounted?');
    const abandoned = new Set<string>();
    const inUse = new Set<string>();
    for (const [number, claim] of await readClaims()) {
      const others = claim.pid !== process.pid && (await holderLives(claim));
      if (others) inUse.add(claim.directory);
      if (!numbers.includes(number)) continue;
      if (others)
        throw new Error(
          `host number ${number} is in use by the bed in ${claim.directory} (process ${claim.pid}): wait for it to end, or use other numbers`,
        );
      if (claim.directory !== directory) abandoned.add(claim.directory);
    }
    // Under other numbers somebody may have made the same bed anew.
    for (const left of abandoned) if (!inUse.has(left)) await cleanUp(left);
    const claim: Claim = { directory, pid: process.pid, startTime: own.startTime };
    for (const number of numbers) await writeFile(claimPath(number), JSON.stringify(claim));
  });

/**
 * Calls `cleanUp` with each bed below `directory` whose process is gone, and the numbers that it still
 * holds, and gives those back. Whoever wants them, or to make that bed anew, waits meanwhile. Answers
 * the directories.
 */
export const releaseAbandoned = (
  directory: string,
  cleanUp: (abandoned: string, numbers: readonly number[]) => Promise<void>,
): Promise<string[]> =>
  whileNobodyClaims(async () => {
    const held = new Map<string, number[]>();
    const inUse = new Set<string>();
    for (const [number, claim] of await readClaims()) {
      if (await holderLives(claim)) inUse.add(claim.directory);
      else if (claim.directory.startsWith(`${directory}/`))
        held.set(claim.directory, [...(held.get(claim.directory) ?? []), number]);
    }
    const abandoned = [...held].filter(([bed]) => !inUse.has(bed));
    for (const [bed, numbers] of abandoned) {
      await cleanUp(bed, numbers);
      for (const number of numbers) await rm(claimPath(number));
    }
    return abandoned.map(([bed]) => bed);
  });

/** Whether this process holds host numbers for the bed in `directory`. */
export const holdsHostNumbers = async (
  numbers: readonly number[],
  directory: string,
): Promise<boolean> => {
  const claims = await Promise.all(numbers.map(readClaim));
  return claims.every((claim) => claim?.directory === directory && claim.pid === process.pid);
};

/** Gives back what this process holds of `numbers` for the bed in `directory`. */
export const releaseHostNumbers = async (
  numbers: readonly number[],
  directory: string,
): Promise<void> => {
  for (const number of numbers)
    if (await holdsHostNumbers([number], directory)) await rm(claimPath(number));
};
