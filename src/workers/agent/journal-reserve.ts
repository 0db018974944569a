import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Space kept for a full disk: given up so that restarts which have begun can be journaled to their end.
 * While it is not held, nothing new begins.
 */
export interface Reserve {
  held: () => boolean;
  /** Give the space up; answers whether there was any. */
  release: () => boolean;
  /** Take it again; answers whether that worked. */
  restore: () => boolean;
}

/** A restart's journal, reports and audit records take some 30 kB. */
export const reserveBytes = 4 * 1024 * 1024;

/** A file of random bytes (none that a file system could leave out) at `path`. */
export const createReserve = (path: string, bytes = reserveBytes): Reserve => {
  const write = (): void => {
    const partial = `${path}.partial`;
    const file = openSync(partial, 'w', 0o600);
    try {
      const content = randomBytes(bytes);
      for (let at = 0; at < bytes;) at += writeSync(file, content, at);
      fsyncSync(file);
    } catch (error) {
      closeSync(file);
      rmSync(partial, { force: true });
      throw error;
    }
    closeSync(file);
    renameSync(partial, path);
  };
  const restore = (): boolean => {
    if (existsSync(path)) return true;
    try {
      write();
      return true;
    } catch {
      return false;
    }
  };
  return {
    held: () => existsSync(path),
    release: () => {
      if (!existsSync(path)) return false;
      rmSync(path, { force: true });
      return true;
    },
    restore,
  };
};
