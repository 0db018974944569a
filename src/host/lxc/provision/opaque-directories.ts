import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from './provision-error.ts';

const STAGING = /^\.groundswell-staging-(\d+)-/;
const BLOCK = 512;

/** Removes what a command that was killed has left in `directory`. */
export const removeAbandonedStaging = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    const owner = STAGING.exec(name)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
};

/** A header of the ustar format, pax(1), with its checksum. */
const header = (name: string, type: 'x' | '5', mode: number, size: number): Buffer => {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  block.write(name, 0, 'latin1');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};

/** An archive of empty directories of root's, called 0, 1, …, each marked as opaque. */
export const opaqueArchive = (count: number): Buffer => {
  const rest = 'SCHILY.xattr.trusted.overlay.opaque=y\n';
  const record = Buffer.alloc(BLOCK);
  // The length counts itself: two digits and a blank.
  const length = record.write(`${rest.length + 3} ${rest}`, 'latin1');
  return Buffer.concat([
    ...Array.from({ length: count }, (_, index) => [
      header(`pax/${index}`, 'x', 0o644, length),
      record,
      header(`${index}/`, '5', 0o755, 0),
    ]).flat(),
    Buffer.alloc(2 * BLOCK),
  ]);
};

/**
 * Makes `count` empty opaque directories in `directory` and gives them to `use`, which renames them
 * to where they belong on the same filesystem; what it leaves is removed afterwards.
 *
 * An opaque directory is marked by `trusted.overlay.opaque`, which Node cannot set and for which
 * setfattr(1) is seldom installed. GNU tar always is, and sets it for thousands in one run. (A
 * mounted overlay makes opaque directories too, but many times more slowly, and
 * a killed command leaves the mount.)
 */
export const withOpaqueDirectories = async <T>(
  directory: string,
  count: number,
  use: (paths: string[]) => Promise<T>,
): Promise<T> => {
  const staging = await mkdtemp(join(directory, `.groundswell-staging-${process.pid}-`));
  try {
    const result = await execa(
      'tar',
      [
        ...['--extract', '--file=-', `--directory=${staging}`, '--same-owner', '--touch'],
        ...['--xattrs', '--xattrs-include=trusted.overlay.opaque'],
      ],
      { input: opaqueArchive(count), reject: false, env: { LC_ALL: 'C' } },
    );
    if (result.failed)
      throw new ProvisionError(
        `cannot make opaque directories in ${directory}: ${result.stderr.trim() || result.shortMessage}`,
      );
    return await use(Array.from({ length: count }, (_, index) => join(staging, String(index))));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
};
