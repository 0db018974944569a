import { releaseAbandoned } from './claim-numbers.ts';
import { cleanBed } from './clean.ts';

/** Where tests put their beds, each in a directory of its own. */
export const TEST_BEDS = '/var/lib/groundswell-bed/e2e';

/**
 * Cleans up the beds below `directory` whose process has ended without doing it, such as a Jest run
 * that got a Ctrl-C. Beds of living processes are left alone, and so are those elsewhere: somebody
 * may keep one to look around in it. Answers the directories.
 */
export const cleanAbandonedBeds = (directory = TEST_BEDS): Promise<string[]> =>
  releaseAbandoned(directory, cleanBed);
