import { errorText } from '../../../core/error-text.ts';
import { readOverlayXattrs } from '../../proc/overlay-xattrs.ts';
import type { OverlayXattrs } from '../../proc/overlay-xattrs.ts';
import { ProvisionError } from './provision-error.ts';

/** What OverlayFS notes on an entry of an upper layer, as `trusted.overlay.<mark>`. */
export type OverlayMark = 'opaque' | 'metacopy' | 'redirect';

const marksOf = ({ opaque, metacopy, redirect }: OverlayXattrs): Set<OverlayMark> =>
  new Set<OverlayMark>([
    ...(opaque === 'y' ? (['opaque'] as const) : []),
    ...(metacopy ? (['metacopy'] as const) : []),
    ...(redirect === null ? [] : (['redirect'] as const)),
  ]);

/**
 * Reads OverlayFS's marks of files and directories in upper layers, and nothing else of them: their owners may have made
 * terabytes, pipes or links of them. Entries of which they cannot be told are missing in the answer. Throws ProvisionError where
 * no marks can be read (needs root).
 */
export const readOverlayMarks = async (
  paths: readonly string[],
): Promise<Map<string, Set<OverlayMark>>> => {
  const found = await readOverlayXattrs(paths).catch((error: unknown) => {
    throw new ProvisionError(
      `cannot read what OverlayFS notes on files (trusted.overlay.*): ${errorText(error)}`,
    );
  });
  const marks = new Map<string, Set<OverlayMark>>();
  paths.forEach((path, index) => {
    const xattrs = found[index] ?? null;
    if (xattrs !== null) marks.set(path, marksOf(xattrs));
  });
  return marks;
};
