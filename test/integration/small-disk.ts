import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../src/core/error-code.ts';

export interface SmallDisk {
  /** Take all the room that is left. */
  fill: () => void;
  /** Give back what `fill` took. */
  free: () => void;
  unmount: () => void;
}

/** Mount a file system of so many MB at `directory`; needs root. */
export const mountSmallDisk = (directory: string, megabytes: number): SmallDisk => {
  mkdirSync(directory, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'gs-small', directory]);
  const ballast = join(directory, 'ballast');
  return {
    fill: () => {
      const file = openSync(ballast, 'a');
      try {
        for (const size of [65_536, 4_096, 512]) {
          try {
            for (;;) if (writeSync(file, Buffer.alloc(size, 7)) < size) break;
          } catch (error) {
            if (!hasCode(error, 'ENOSPC')) throw error;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => {
      rmSync(ballast);
    },
    unmount: () => {
      // SQLite's driver closes its files only when its statements are collected.
      execFileSync('umount', ['-l', directory]);
    },
  };
};
