import { dirname, join } from 'node:path';
import { processEnvironment } from '../config/environment.ts';
import type { CorePackages } from '../config/fleet-settings.ts';
import { configFileOf } from '../config/load-config.ts';
import { findManifest } from '../config/manifest-files.ts';
import type { Configuration } from '../config/schema.ts';
import { programRoot } from './program-root.ts';

/** Where manifests of platforms lie: those of this site beside its configuration, then those that Groundswell ships. */
export const manifestDirectories = (file: string | undefined): [string, string] => {
  const config = configFileOf({ file, environment: processEnvironment() });
  return [join(dirname(config), 'platforms'), join(programRoot(), 'packaging/platforms')];
};

/**
 * The core packages of the platforms that the configuration names without saying which theirs are. `warn` is told where a rule asks for
 * them and nothing tells them: it would be for no package, or for every one. Throws on a manifest that is none.
 */
export const corePackagesOf = async (
  { platforms }: Configuration,
  directories: readonly string[],
  warn: (text: string) => void,
): Promise<CorePackages> => {
  const core: Record<string, readonly string[]> = {};
  for (const [id, { corePackages, policy }] of Object.entries(platforms)) {
    if (corePackages !== undefined) continue;
    const found = await findManifest(directories, id);
    if (found !== null) core[id] = found.manifest.packages.map(({ name }) => name);
    else if (policy.some((rule) => rule.core !== undefined))
      warn(
        `platforms.${id}: a rule asks for core packages, and there is no manifest of this platform: groundswell platform show ${id} tells how to make one`,
      );
  }
  return core;
};
