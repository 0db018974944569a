import { mkdir } from 'node:fs/promises';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load-config.ts';
import { formatProblem } from '../config/problem.ts';
import type { Configuration } from '../config/schema.ts';

/** The configuration of this machine. Throws with every problem in it, one a line. */
export const readConfig = async (file: string | undefined): Promise<Configuration> => {
  const loaded = await loadConfig({ file, environment: processEnvironment() });
  if (!loaded.ok)
    throw new Error(
      `the configuration is wrong:\n${loaded.problems.map(formatProblem).join('\n')}`,
    );
  return loaded.config;
};

/** For its owner alone: keys lie below it. */
export const makeDataDirectory = async ({ dataDirectory }: Configuration): Promise<void> => {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
};
