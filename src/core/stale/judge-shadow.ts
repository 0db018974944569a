import type { ShadowedFile } from '../observation.ts';

export type ShadowKind = ShadowedFile['kind'];

/** One entry of the upper layer. */
export type UpperEntry =
  | { type: 'directory'; opaque: boolean; redirect: string | null }
  | { type: 'file'; metadataOnly: boolean; redirect: string | null }
  | { type: 'symlink'; target: string }
  | { type: 'whiteout' }
  | { type: 'other' };

/** The lower layer's entry of the same path, as it is now. */
export type LowerEntry =
  | { type: 'directory' }
  | { type: 'file' }
  | { type: 'symlink'; target: string }
  | { type: 'other' };

export type ShadowVerdict =
  | { kind: 'clean' }
  /** Both are directories that show as one: look at what is in them. */
  | { kind: 'merge' }
  /** Two files with content: only that tells whether they differ. */
  | { kind: 'compare' }
  /** The entry hides the lower one, and where that is a directory everything below it. */
  | { kind: 'shadow'; as: ShadowKind };

const shadow = (as: ShadowKind): ShadowVerdict => ({ kind: 'shadow', as });

/**
 * Whether an entry of the upper layer hides what the lower layer has there, inode(7) types and
 * overlayfs semantics (whiteouts, opaque directories, redirect_dir, metacopy). Metadata alone, such
 * as another owner or mode, hides no content.
 */
export const judgeEntry = (upper: UpperEntry, lower: LowerEntry | null): ShadowVerdict => {
  // What the lower layer does not have cannot be hidden.
  if (lower === null) return { kind: 'clean' };
  switch (upper.type) {
    case 'whiteout':
      return shadow('whiteout');
    case 'directory':
      if (lower.type !== 'directory') return shadow('copy');
      if (upper.opaque) return shadow('opaque');
      return upper.redirect === null ? { kind: 'merge' } : shadow('redirect');
    case 'symlink':
      return lower.type === 'symlink' && lower.target === upper.target
        ? { kind: 'clean' }
        : shadow('symlink');
    case 'file':
      // Metadata of a file that was moved here has another file's content.
      if (upper.metadataOnly)
        return upper.redirect === null ? { kind: 'clean' } : shadow('redirect');
      return lower.type === 'file' ? { kind: 'compare' } : shadow('copy');
    case 'other':
      return shadow('copy');
  }
};
