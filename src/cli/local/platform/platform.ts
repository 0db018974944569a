import type { Command } from 'commander';
import { join, resolve } from 'node:path';
import type { HostInventoryView } from '../../../core/advisories/advisory-views.ts';
import type { Inventory } from '../../../core/advisories/inventory.ts';
import { findManifest, listManifests } from '../../../config/manifest-files.ts';
import type { FoundManifest } from '../../../config/manifest-files.ts';
import { compareWithCore } from '../../../core/platforms/compare-with-core.ts';
import { manifestNames } from '../../../core/platforms/manifest.ts';
import type { CorePackage, Manifest } from '../../../core/platforms/manifest.ts';
import { remoteFor, withRemoteOptions } from '../../remote.ts';
import type { CliDependencies } from '../../remote.ts';
import { comparisonText, manifestText, noManifestText } from './platform-text.ts';
import { saveManifest } from './save-manifest.ts';

export interface PlatformDependencies extends CliDependencies {
  /** Where manifests are looked for: the first is for those of this site. */
  directories: readonly [string, ...string[]];
  readPlatform: () => Promise<string>;
  readInventory: () => Promise<Pick<Inventory, 'packages'>>;
  readCore: () => Promise<{ packages: CorePackage[]; from: string[] }>;
  now: () => number;
  setExitCode: (code: number) => void;
}

/** What `diff` ends with where core packages are missing (docs/reference/exit-codes.md). */
export const MISSING = 10;

interface DiffOptions {
  host?: string;
  json?: boolean;
  socket?: string;
  verbose?: boolean;
}

/** The name under which a platform's manifest is made: its minor releases share it. */
const baseOf = (platform: string): string => manifestNames(platform).at(-1) ?? platform;

const required = async (
  { directories }: PlatformDependencies,
  platform: string,
): Promise<FoundManifest> => {
  const found = await findManifest(directories, platform);
  if (found !== null) return found;
  const known = await listManifests(directories);
  throw new Error(
    noManifestText(platform, known, join(directories[0], `${baseOf(platform)}.json`)),
  );
};

const make = async (deps: PlatformDependencies): Promise<Manifest> => {
  const platform = await deps.readPlatform();
  const core = await deps.readCore();
  return {
    platform: baseOf(platform),
    made: {
      by: 'groundswell platform make',
      on: new Date(deps.now()).toISOString().slice(0, 10),
      from: core.from,
    },
    packages: core.packages,
  };
};

/** Whose packages are compared, and with which platform: this host's, or what another has reported to its server. */
const compared = async (
  deps: PlatformDependencies,
  options: DiffOptions,
): Promise<{ platform: string; inventory: Pick<Inventory, 'packages'> }> => {
  if (options.host === undefined)
    return { platform: await deps.readPlatform(), inventory: await deps.readInventory() };
  const path = `/v1/inventory/${encodeURIComponent(options.host)}`;
  const view = (await remoteFor(deps, options).get(path)) as HostInventoryView;
  const inventory = view.inventory as Inventory;
  return { platform: inventory.platform, inventory };
};

/** `groundswell platform`: the core packages of a platform, how a host stands to them, and how to derive them. */
export const registerPlatform = (program: Command, deps: PlatformDependencies): void => {
  const platform = program
    .command('platform')
    .description('core packages of a platform: show them, compare a host with them, derive them');
  platform
    .command('show')
    .argument('[platform]', "such as debian-12; default: this host's")
    .description('which packages are the core of a platform, and why')
    .option('--json', 'print JSON: the manifest')
    .action(async (named: string | undefined, options: { json?: boolean }) => {
      const { manifest, path } = await required(deps, named ?? (await deps.readPlatform()));
      remoteFor(deps, options).show(manifest, () => manifestText(manifest, path));
    });
  withRemoteOptions(
    platform
      .command('diff')
      .description('what this host lacks of its platform, and what it has beside it')
      .option('--host <host>', 'what a host has reported to the server, in place of this one')
      .option('-v, --verbose', 'every name'),
  ).action(async (options: DiffOptions) => {
    const of = await compared(deps, options);
    const { manifest, path } = await required(deps, of.platform);
    const comparison = compareWithCore(manifest, of.inventory);
    const total = manifest.packages.length;
    remoteFor(deps, options).show({ ...comparison, total, manifest: path }, () =>
      comparisonText(comparison, { total, verbose: options.verbose ?? false }),
    );
    if (comparison.missing.length > 0) deps.setExitCode(MISSING);
  });
  platform
    .command('make')
    .description("derive this host's platform from the distribution's own data")
    .option('-o, --output <file>', 'write the manifest there')
    .option('--json', 'print JSON: the manifest')
    .action(async ({ output, json }: { output?: string; json?: boolean }) => {
      const manifest = await make(deps);
      const file = output === undefined ? null : resolve(output);
      if (file !== null) await saveManifest(file, manifest);
      remoteFor(deps, { json: json ?? false }).show(manifest, () => manifestText(manifest, file));
    });
};
