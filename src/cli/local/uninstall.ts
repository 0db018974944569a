import type { Command } from 'commander';
import { resolve } from 'node:path';
import { packageSystemOf } from '../../host/packages/package-system.ts';
import { carryOut, groupOptionsFor } from './installation/carry-out.ts';
import type { InstallationDependencies } from './installation/carry-out.ts';
import { desiredEntries } from './installation/desired.ts';
import { planUninstall } from './installation/plan-uninstall.ts';
import { readHost, readManifest } from './installation/read-host.ts';

interface Options {
  yes?: boolean;
  dryRun?: boolean;
  purge?: boolean;
  json?: boolean;
  root: string;
}

/**
 * `groundswell uninstall`: takes away what setup has made, and nothing else. Configuration that was
 * changed, keys, journal and store stay unless `--purge`. Containers go on running.
 */
export const registerUninstall = (program: Command, deps: InstallationDependencies): void => {
  program
    .command('uninstall')
    .description('take away what setup has installed, showing each change')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show the changes only')
    .option('--purge', 'also changed configuration, keys, journal, store and audit records')
    .option('--json', 'print JSON: the changes, and whether they were made; asks nobody')
    .option('--root <directory>', 'a tree instead of the running system', '/')
    .action(async (options: Options) => {
      const root = resolve(options.root);
      const desired = await desiredEntries(deps, packageSystemOf(root));
      const manifest = await readManifest(root);
      const state = await readHost(root, desired, manifest, deps.keyFiles);
      const purge = options.purge ?? false;
      const plan = planUninstall(desired, state, manifest, {
        purge,
        groupOptions: groupOptionsFor(root),
      });
      await carryOut(plan, deps, {
        root,
        yes: options.yes ?? false,
        dryRun: options.dryRun ?? false,
        verbose: false,
        json: options.json ?? false,
        question: purge ? 'Remove all of this for good?' : 'Remove all of this?',
        nothing: 'Nothing is installed here.',
        done: 'Done. Containers go on running as they are.',
      });
    });
};
