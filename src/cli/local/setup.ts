import { Option } from 'commander';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { packageSystemOf } from '../../host/packages/package-system.ts';
import { carryOut, groupOptionsFor } from './installation/carry-out.ts';
import type { InstallationDependencies } from './installation/carry-out.ts';
import { configPath, desiredEntries, units } from './installation/desired.ts';
import type { Role } from './installation/desired.ts';
import { planSetup } from './installation/plan.ts';
import type { HostState } from './installation/plan.ts';
import { readHost, readManifest } from './installation/read-host.ts';

interface Options {
  yes?: boolean;
  dryRun?: boolean;
  verbose?: boolean;
  json?: boolean;
  root: string;
  as: Role;
  start: boolean;
}

/** What a machine of that role still lacks before its unit can do more than fail; null: nothing. */
const lacks = (
  role: Role,
  { at }: HostState,
  trustedKeysFile: string,
): 'configuration' | 'trust' | null => {
  if (role === 'up') return null;
  if (at(configPath).kind === 'absent') return 'configuration';
  return role === 'agent' && at(trustedKeysFile).kind === 'absent' ? 'trust' : null;
};

const trustSteps = [
  'Next: groundswell agent --trust <public-key>, with what `groundswell server --show-key` prints on the server.',
  `Then: systemctl enable --now ${units.agent}.`,
].join('\n');

const firstSteps = (unit: string | null, role: Role): string =>
  [
    `Next: name your services in ${configPath}, and see that it is right: groundswell config check.`,
    `Then: systemctl ${unit === null ? `enable --now ${units[role]}` : `restart ${unit}`}. To look everything over: groundswell doctor.`,
  ].join('\n');

/**
 * `groundswell setup`: units, hooks, configuration, keys, group and directories on this host, each
 * change shown first. What is there already is left alone; a second run does nothing.
 */
export const registerSetup = (program: Command, deps: InstallationDependencies): void => {
  program
    .command('setup')
    .description('install units, hooks, configuration and keys on this host, showing each change')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show the changes only')
    .option('-v, --verbose', 'show new files whole')
    .option('--json', 'print JSON: the changes, and whether they were made; asks nobody')
    .option('--root <directory>', 'set up a tree instead of the running system', '/')
    .addOption(
      new Option('--as <role>', 'what this machine is: the unit to start')
        .choices(Object.keys(units))
        .default('up'),
    )
    .option(
      '--no-start',
      'do not enable and start the unit (a new server or agent is never: configure it first)',
    )
    .action(async (options: Options) => {
      deps.placesAreKnown();
      const root = resolve(options.root);
      const desired = await desiredEntries(deps, packageSystemOf(root));
      const manifest = await readManifest(root);
      const { keyFiles, trustedKeysFile } = deps;
      const state = await readHost(root, desired, manifest, [...keyFiles, trustedKeysFile]);
      const lacking = lacks(options.as, state, trustedKeysFile);
      const plan = planSetup(desired, state, manifest, {
        unit: options.start && lacking === null ? units[options.as] : manifest.unit,
        keys: deps.keyFiles,
        groupOptions: groupOptionsFor(root),
      });
      await carryOut(plan, deps, {
        root,
        yes: options.yes ?? false,
        dryRun: options.dryRun ?? false,
        verbose: options.verbose ?? false,
        json: options.json ?? false,
        question: 'Make these changes?',
        nothing: 'Everything is installed already.',
        done: [
          'Done.',
          ...(state.at(configPath).kind === 'absent'
            ? [firstSteps(plan.manifest?.unit ?? null, options.as)]
            : lacking === 'trust'
              ? [trustSteps]
              : []),
        ].join('\n'),
      });
    });
};
