import type { Command } from 'commander';
import { configOption } from '../config-option.ts';
import { countOf } from '../print.ts';
import type { CliDependencies } from '../remote.ts';

/** What `backup` has made. */
interface MadeBackup {
  directory: string;
  manifest: {
    program: string;
    schema: string;
    madeAt: string;
    files: readonly { path: string; bytes: number }[];
  };
  missing: readonly string[];
}

/** What `restore` has done. */
interface Restored {
  directory: string;
  madeAt: string;
  serverDirectory: string;
  aside: readonly string[];
  wentOn: boolean;
}

export interface BackupDependencies extends Pick<CliDependencies, 'write' | 'actor'> {
  /** Both take the configuration file that was named, if one was, and the backup's directory. */
  backUp: (file: string | undefined, directory: string) => Promise<MadeBackup>;
  restore: (file: string | undefined, directory: string, actor: string) => Promise<Restored>;
}

const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${Math.ceil(bytes / 1_000_000)} MB`;

export const backupText = ({ directory, manifest, missing }: MadeBackup): string =>
  [
    `backed up to ${directory}: ${countOf(manifest.files.length, 'file')}, ${sizeOf(
      manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    )}, as of ${manifest.madeAt}`,
    "The server's key is in it: keep it as secret as the server itself.",
    'Not in it: the configuration of this machine, what Redis holds, and what hosts keep.',
    ...missing.map(
      (name) => `Not in it either: sealed audit records ${name}, which somebody has moved away.`,
    ),
  ].join('\n');

export const restoredText = ({
  directory,
  madeAt,
  serverDirectory,
  aside,
  wentOn,
}: Restored): string =>
  [
    `${wentOn ? 'went on with what was broken off: ' : ''}restored ${directory}, of ${madeAt}, to ${serverDirectory}`,
    ...(aside.length === 0
      ? []
      : ['What was there is kept, until you remove it:', ...aside.map((path) => `  ${path}`)]),
    'Next:',
    '  1. start the server: systemctl start groundswell-server (on a single host: groundswell)',
    '  2. groundswell status: the fleet is paused, and each host is asked for all that it knows',
    '  3. do again what people did since the backup, then: groundswell resume',
  ].join('\n');

/** `groundswell backup` and `groundswell restore`: what is the server's alone, in a directory. */
export const registerBackup = (program: Command, deps: BackupDependencies): void => {
  const print = <T>(value: T, text: (value: T) => string, json: boolean): void => {
    deps.write(`${json ? JSON.stringify(value, null, 2) : text(value)}\n`);
  };
  type Options = { config?: string; json?: boolean };
  program
    .command('backup')
    .description("back up the server's store, keys and sealed audit records; it may be running")
    .argument('<directory>', 'where to; new, or empty')
    .option(...configOption)
    .option('--json', 'print JSON')
    .action(async (directory: string, { config, json = false }: Options) => {
      print(await deps.backUp(config, directory), backupText, json);
    });
  program
    .command('restore')
    .description('put a backup in the place of what the server has; it must not be running')
    .argument('<directory>', 'what `backup` wrote')
    .option(...configOption)
    .option('--json', 'print JSON')
    .action(async (directory: string, { config, json = false }: Options) => {
      print(await deps.restore(config, directory, deps.actor), restoredText, json);
    });
};
