import type { ShadowedFile } from './observation.ts';

/**
 * What an agent says that it did not tell whole, so that a report has room for every container: which packages
 * a container has files of its own of. What runs in it was looked at all the same.
 */
export const untoldOwnFiles = 'files of its own';

type OwnFile = Pick<ShadowedFile, 'path' | 'kind' | 'ownVersion' | 'package'>;

/**
 * Files of these packages (null: of any) that a container has of its own and that are not known to be newer
 * than the host's: with them it does not run the host's code, and no restart changes that (R27).
 */
export const shadowingFiles = <T extends OwnFile>(
  files: readonly T[],
  packages: readonly string[] | null = null,
): T[] =>
  files.filter(
    ({ package: name, ownVersion }) =>
      ownVersion === null && (packages === null || packages.includes(name)),
  );

const more = (files: readonly OwnFile[]): string =>
  files.length === 1
    ? ''
    : ` and ${files.length - 1} more ${files.length === 2 ? 'file' : 'files'}`;

/**
 * What a container has in place of the host's files, with path and package, as the end of a sentence: what
 * must be mended first, else the owner's newer version; null: nothing.
 */
export const describeOwnFiles = (files: readonly OwnFile[]): string | null => {
  const shadowing = shadowingFiles(files);
  const [old] = shadowing;
  if (old !== undefined) {
    const of = old.package === '' ? '' : ` (package ${old.package})`;
    const what =
      old.kind === 'whiteout' || old.kind === 'opaque' ? 'its own absence of' : 'its own copy of';
    return `${what} ${old.path}${of}${more(shadowing)} hides the host's: its owner must mend it`;
  }
  const [own] = files;
  return own === undefined
    ? null
    : `its own version ${own.ownVersion ?? ''} of ${own.package} (${own.path})${more(files)}, newer than the host's`;
};

/** One file with its package, in a list. */
export const ownFileLine = ({ path, package: name, ownVersion }: OwnFile): string =>
  `${path}${name === '' ? '' : ` (package ${name})`}${ownVersion === null ? '' : `, own version ${ownVersion}`}`;
