import { sameInode } from './parse-maps.ts';

/** What the upper layer of a container has for one path of its root. */
export type UpperState =
  /** Nothing: the lower layer's file shows. */
  | 'none'
  /** A file with content of its own. */
  | 'copy'
  /** A file with metadata only (metacopy): the content is the lower layer's. */
  | 'metadata'
  /** A whiteout of this very name: the lower layer had a file here, and the container removed it. */
  | 'whiteout'
  /** Something further up hides the lower layer's file: an opaque or whited-out directory, a link. */
  | 'hidden';

export interface MappingFacts {
  /** Inode number as `maps` shows it. */
  inode: string;
  /** Whether the container itself has unlinked the name since: `maps` says `(deleted)`. */
  deleted: boolean;
  upper: UpperState;
  /** Inode number of the same path in the lower layer as it is now; null: nothing there. */
  lowerInode: string | null;
}

export type MappingVerdict =
  | 'current'
  | 'replaced'
  | 'removed'
  /** The container's own file: the lower layer has none of that name and had none. */
  | 'own'
  /** Inode numbers prove nothing here: compare the content with the lower layer's. */
  | 'compare';

/**
 * Judges one file that a process of a container maps from its root. A replaced file of the lower
 * layer does not show as `(deleted)` in a container; that mark comes only from what the container
 * itself unlinked. Inode numbers decide where the upper layer has nothing: a copy may carry the
 * number (and the size) of the lower file that it was made from.
 */
export const judgeMapping = ({
  inode,
  deleted,
  upper,
  lowerInode,
}: MappingFacts): MappingVerdict => {
  if (lowerInode === null) {
    if (upper === 'copy' || upper === 'hidden') return 'own';
    // To remove a file that only the upper layer had leaves nothing there.
    if (upper === 'none' && deleted) return 'own';
    return 'removed';
  }
  if (upper === 'copy' || upper === 'metadata') return 'compare';
  return sameInode(inode, lowerInode) ? 'current' : 'replaced';
};

/**
 * The verdict where content had to decide. A process that runs what the upper layer has runs it
 * again after a restart: that is the container's shadowed file, not a stale process.
 */
export const judgeContent = (facts: {
  sameAsLower: boolean;
  sameAsUpper: boolean;
}): 'current' | 'own' | 'replaced' =>
  facts.sameAsLower ? 'current' : facts.sameAsUpper ? 'own' : 'replaced';
