import { execa } from 'execa';

/**
 * Has what was written to a directory's file system on the disk: of tens of thousands of files at once, not each by itself.
 * Where it cannot be done the files are there all the same, unless the power fails.
 */
export const flush = async (directory: string): Promise<void> => {
  await execa('sync', ['--file-system', directory], { reject: false, timeout: 120_000 });
};
