import { execa } from 'execa';
import { ProvisionError } from './provision-error.ts';

/** Runs a program of the system; throws with its own words when it fails. Answers its output. */
export const runSystemCommand = async (file: string, args: readonly string[]): Promise<string> => {
  const result = await execa(file, args, { stdin: 'ignore', reject: false, env: { LC_ALL: 'C' } });
  if (!result.failed) return result.stdout;
  if (result.code === 'ENOENT') throw new ProvisionError(`${file} is not installed on this host`);
  throw new ProvisionError(
    `${file} ${args.join(' ')}: ${result.stderr.trim() || result.shortMessage}`,
  );
};
