import { mkdir } from 'node:fs/promises';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load-config.ts';
import { formatProblem } from '../config/problem.ts';
import type { Configuration } from '../config/schema.ts';

/** The configuration of a host that has containers, and what of it they must not see. Throws like `readConfig`. */
export const readHostConfig = async (
  file: string | undefined,
): Promise<{ config: Configuration; privatePaths: string[] }> => {
  const loaded = await loadConfig({ file, environment: processEnvironment() });
  if (!loaded.ok)
    throw new Error(
      `the configuration is wrong:\n${loaded.problems.map(formatProblem).join('\n')}`,
    );
  return { config: loaded.config, privatePaths: loaded.privatePaths };
};

/** The configuration of this machine. Throws with every problem in it, one a line. */
export const readConfig = async (file: string | undefined): Promise<Configuration> =>
  (await readHostConfig(file)).config;

/** For its owner alone: keys lie below it. */
export const makeDataDirectory = async ({ dataDirectory }: Configuration): Promise<void> => {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
};
