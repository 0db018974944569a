import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import { runLxcTool } from '../lxc-tool.ts';
import { rewriteOldForm } from '../old-form.ts';
import { ProvisionError } from './provision-error.ts';
import { withProvisionLock } from './provision-lock.ts';
import type { Provisioning } from './provisioning.ts';

const DESTROY_TIMEOUT_MS = 300_000;

/**
 * Removes a container on the host's root, with its upper layer. One that runs is refused, or with
 * `force` stopped first. Throws ProvisionError when it is refused, or when LXC does not remove it.
 */
export const removeContainer = async (
  { runtime, lxcPath }: Provisioning,
  name: ContainerName,
  { force, stopTimeoutMs }: { force: boolean; stopTimeoutMs: number },
): Promise<void> =>
  withProvisionLock(lxcPath, async () => {
    const container = (await runtime.list()).find((candidate) => candidate.name === name);
    if (container === undefined)
      throw new ProvisionError(`there is no container ${name} on this host`);
    if (container.root.kind === 'other')
      throw new ProvisionError(
        `container ${name} is not on the host's root (${container.root.describe}) and is left alone: remove it with lxc-destroy -n ${name}`,
      );
    if (container.oldKeys.length > 0)
      throw new ProvisionError(
        `LXC cannot read the configuration of ${name} (dropped keys: ${container.oldKeys.join(', ')}): rewrite it, then remove it: ${rewriteOldForm(container.configPath)}`,
      );
    const { state } = await runtime.state(name);
    if (state !== 'stopped') {
      if (!force)
        throw new ProvisionError(
          `container ${name} is ${state}: stop it first (lxc-stop -n ${name}), or remove it with --force`,
        );
      const after = await runtime.stop(name, { timeoutMs: stopTimeoutMs });
      if (after.state !== 'stopped')
        throw new ProvisionError(`container ${name} could not be stopped: it is ${after.state}`);
    }
    const options = { timeoutMs: DESTROY_TIMEOUT_MS };
    const result = await runLxcTool('lxc-destroy', lxcPath, name, [], options);
    const directory = dirname(container.configPath);
    const left = await lstat(directory).catch(() => null);
    if (left !== null)
      throw new ProvisionError(
        `lxc-destroy left ${directory}: ${result.stderr.trim() || result.stdout.trim()}`,
      );
  });
