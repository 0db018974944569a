import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lowerKindReader } from '../lower-kind.ts';
import { ProvisionError } from './provision-error.ts';
import { runSystemCommand } from './system-command.ts';

/** Where the bind mount of the host's root lies, under the containers' directory. */
export const lowerLayerPath = (lxcPath: string): string => join(lxcPath, 'host', 'rootfs');

export interface LowerLayer {
  path: string;
  /** `made`: it was not mounted, and is now, until the next boot. */
  outcome: 'present' | 'made';
  /** Whether an fstab entry or a mount unit brings it back at boot. */
  persistent: boolean;
}

/** The fstab(5) line that makes the mount at every boot. */
export const fstabLine = (path: string): string => `/ ${path} none bind,private 0 0`;

/** Name and text of a systemd mount unit for the same, systemd.mount(5); `setup` installs it. */
export const lowerLayerUnit = (path: string): { name: string; text: string } => ({
  // Dashes in the path would need systemd-escape(1); LXC's own path has none.
  name: `${path.slice(1).replaceAll('-', '\\x2d').replaceAll('/', '-')}.mount`,
  text: [
    '[Unit]',
    'Description=Root of this host as the lower layer of its containers',
    'Before=lxc.service',
    '',
    '[Mount]',
    'What=/',
    `Where=${path}`,
    'Type=none',
    '# Not rbind: /proc, /dev and other mounts stay out of the containers.',
    'Options=bind,private',
    '',
    '[Install]',
    'WantedBy=local-fs.target',
    '',
  ].join('\n'),
});

const isPersistent = async (path: string): Promise<boolean> => {
  const fstab = await readFile('/etc/fstab', 'utf8').catch(() => '');
  const inFstab = fstab
    .split('\n')
    .some((line) => !line.trimStart().startsWith('#') && line.split(/\s+/)[1] === path);
  const unit = join('/etc/systemd/system', lowerLayerUnit(path).name);
  return inFstab || (await readFile(unit).catch(() => null)) !== null;
};

/**
 * Sees to it that the host's root is bind-mounted where containers look for their lower layer.
 * The mount is private, and not recursive. Throws ProvisionError when something else lies there:
 * a directory that holds files is never mounted over.
 */
export const ensureLowerLayer = async (
  lxcPath: string,
  { hostRoot = '/', procRoot = '/proc' } = {},
): Promise<LowerLayer> => {
  const path = lowerLayerPath(lxcPath);
  const kind = lowerKindReader(hostRoot, procRoot)(path);
  const persistent = await isPersistent(path);
  if (kind === 'host-root') return { path, outcome: 'present', persistent };
  if (kind === 'other-mount')
    throw new ProvisionError(
      `${path} is a mount of something else than this host's root: unmount it, or move it away`,
    );
  await mkdir(path, { recursive: true });
  // Tells an empty directory from one with files in the same step that would do harm otherwise.
  await rmdir(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY')
      throw new ProvisionError(
        `${path} is not empty and not a mount: the bind mount of the host's root belongs there; move its files away`,
      );
    throw error;
  });
  await mkdir(path);
  await runSystemCommand('mount', ['--bind', '--make-private', hostRoot, path]);
  return { path, outcome: 'made', persistent };
};
