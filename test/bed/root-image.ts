import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commands } from './command.ts';

/** A file system of its own for a host's root, in an image file on a loop device. */
export interface RootImage {
  fileSystem: 'ext4' | 'xfs' | 'btrfs';
  sizeMegabytes: number;
}

/** Makes the image file `path` and mounts it on a directory. */
export const mountNewImage = async (
  { must }: Commands,
  path: string,
  { fileSystem, sizeMegabytes }: RootImage,
  directory: string,
): Promise<void> => {
  await mkdir(directory, { recursive: true });
  await must(['truncate', '-s', `${sizeMegabytes}M`, path]);
  await must([`mkfs.${fileSystem}`, '-q', path]);
  await must(['mount', '-o', 'loop', path, directory]);
};

/** Whether images can be mounted here, by doing it once: within a container there may be no loop devices. */
export const canMountImages = async (
  commands: Commands,
  workDirectory: string,
): Promise<boolean> => {
  const trial = join(workDirectory, 'trial');
  const image: RootImage = { fileSystem: 'ext4', sizeMegabytes: 8 };
  const mounted = await mountNewImage(commands, `${trial}.img`, image, trial).then(
    () => true,
    () => false,
  );
  if (mounted) await commands.must(['umount', trial]);
  await rm(trial, { recursive: true });
  await rm(`${trial}.img`, { force: true });
  return mounted;
};
