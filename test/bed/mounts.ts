import { readFile } from 'node:fs/promises';
import type { Commands } from './command.ts';

/** proc(5) writes space, tab, newline and backslash in mount points as octal escapes. */
const unescapeMountPoint = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

/** Mount points below `directory` (or at it), the innermost and latest first. */
export const mountsBelow = async (directory: string): Promise<string[]> =>
  (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => unescapeMountPoint(line.split(' ')[4] ?? ''))
    .filter((path) => path === directory || path.startsWith(`${directory}/`))
    .reverse();

/**
 * Unmounts everything below `directory`; what is busy is detached, so that it goes when unused.
 * Throws when something stays mounted.
 */
export const unmountBelow = async (commands: Commands, directory: string): Promise<void> => {
  for (const path of await mountsBelow(directory)) {
    const first = await commands.run(['umount', path]);
    if (first.exitCode !== 0) await commands.run(['umount', '-l', path]);
  }
  // Only the end counts: another clean-up of the same bed may have been quicker.
  const left = await mountsBelow(directory);
  if (left.length > 0) throw new Error(`cannot unmount ${left.join(' ')}`);
};
