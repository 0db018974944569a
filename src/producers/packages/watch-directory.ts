import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface DirectoryWatch {
  /** To be called now and then: a directory that was deleted and made anew is silent otherwise. */
  renew: () => Promise<void>;
  close: () => void;
}

/** Calls `onChange` when something in `directory` changes. The directory need not be there yet. */
export const watchDirectory = (directory: string, onChange: () => void): DirectoryWatch => {
  let watcher: FSWatcher | null = null;
  let watched = '';
  const close = (): void => {
    watcher?.close();
    watcher = null;
    watched = '';
  };
  return {
    close,
    renew: async () => {
      const found = await stat(directory).catch(() => null);
      const identity = found === null ? '' : `${found.dev}:${found.ino}:${found.birthtimeMs}`;
      if (identity === watched) return;
      close();
      if (identity === '') return;
      try {
        watcher = watch(directory, onChange);
        watcher.on('error', close);
        watched = identity;
      } catch {
        close(); // no watches left, or gone again: polling sees to it
      }
    },
  };
};
