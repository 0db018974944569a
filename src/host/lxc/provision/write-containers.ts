import { execa } from 'execa';
import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import { findUnhidden } from './find-unhidden.ts';
import { removeAbandonedStaging, withOpaqueDirectories } from './opaque-directories.ts';
import { readHosts, writeOwnNames } from './own-names.ts';
import { placeOpaque } from './place-opaque.ts';
import { privateDirectories } from './private-directories.ts';
import type { PrivatePlaces } from './private-directories.ts';
import { ProvisionError } from './provision-error.ts';

/** A container to be written: its configuration must name `upperPath` as its upper layer. */
export interface ContainerToWrite {
  name: ContainerName;
  config: string;
}

/** Where the upper layer of a new container lies. */
export const upperPath = (lxcPath: string, name: ContainerName): string =>
  join(lxcPath, name, 'delta0');

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Copies an upper layer with everything that OverlayFS notes in it. */
const copyUpper = async (from: string, to: string): Promise<void> => {
  const result = await execa('cp', ['--archive', '--reflink=auto', `${from}/.`, to], {
    stdin: 'ignore',
    reject: false,
  });
  if (result.failed)
    throw new ProvisionError(`cannot copy the upper layer ${from}: ${result.stderr.trim()}`);
};

/**
 * Writes containers with names of their own and the host's private directories hidden; each appears with its
 * configuration at once or not at all. Call it with the provision lock. `copyFrom` is an upper
 * layer that each of them begins with. Throws ProvisionError when a name is taken.
 */
export const writeContainers = async (
  places: PrivatePlaces,
  containers: readonly ContainerToWrite[],
  copyFrom: string | null,
): Promise<void> => {
  const { lxcPath } = places;
  for (const { name } of containers)
    if (await exists(join(lxcPath, name)))
      throw new ProvisionError(
        `${join(lxcPath, name)} exists already: choose another name, or remove it first`,
      );
  await removeAbandonedStaging(lxcPath);
  const hidden = await privateDirectories(places);
  const hosts = await readHosts();
  const total = containers.length * hidden.length;
  await withOpaqueDirectories(lxcPath, total, async (made) => {
    // Within the staging directory, which goes away with whatever a failure leaves in it.
    const building = join(dirname(made[0] ?? ''), 'new');
    await mkdir(building);
    for (const [number, { name, config }] of containers.entries()) {
      const directory = join(building, name);
      const upper = join(directory, 'delta0');
      await mkdir(upper, { recursive: true });
      // Whatever the umask: the upper layer's own mode is that of the container's `/`.
      await chmod(upper, 0o755);
      await chmod(directory, 0o770);
      if (copyFrom !== null) await copyUpper(copyFrom, upper);
      for (const [index, hide] of hidden.entries())
        await placeOpaque(upper, hide, made[number * hidden.length + index] ?? '');
      await writeOwnNames(upper, name, hosts);
      await writeFile(join(directory, 'config'), config);
    }
    const roots = containers.map(({ name }) => ({
      name,
      root: { kind: 'host-overlay' as const, lower: '/', upper: join(building, name, 'delta0') },
    }));
    const open = await findUnhidden(roots, places);
    if (open.length > 0)
      throw new ProvisionError(
        `${open[0]?.paths.join(', ') ?? ''} could not be hidden in ${open[0]?.name ?? ''}: nothing was made`,
      );
    for (const { name } of containers) await rename(join(building, name), join(lxcPath, name));
  });
};
