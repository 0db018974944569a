import { posix } from 'node:path';
import type { UpperState } from '../../core/stale/judge-mapping.ts';
import type { UpperLayer } from './upper-layer.ts';

/** What a container's root shows for a path, as a new mount of its layers would. */
export interface FoundInUpper {
  state: UpperState;
  /** Where the lower layer keeps what belongs to this path: elsewhere below a redirect. */
  lowerPath: string;
}

/** An absolute redirect is a path in the lower layer, another one a name beside the old one. */
const redirected = (lowerPath: string, redirect: string | null): string =>
  redirect === null
    ? lowerPath
    : redirect.startsWith('/')
      ? redirect
      : posix.join(posix.dirname(lowerPath), redirect);

/**
 * Goes down to `path` (absolute, without links) the way overlayfs looks a name up: whiteouts,
 * opaque directories, redirects and metadata-only files are told apart from copies. Throws what
 * the upper layer throws.
 */
export const findInUpper = (upper: UpperLayer, path: string): FoundInUpper => {
  let lowerPath = '';
  let at = '';
  let hidden = false;
  const names = path.slice(1).split('/');
  for (const [depth, name] of names.entries()) {
    at += `/${name}`;
    lowerPath += `/${name}`;
    const rest = names.slice(depth + 1).map((below) => `/${below}`);
    const last = rest.length === 0;
    const known = upper.list(at.slice(0, at.lastIndexOf('/')));
    // Nothing of it in the upper layer: what is below comes from the lower one alone.
    if (known?.has(name) !== true)
      return { state: hidden ? 'hidden' : 'none', lowerPath: lowerPath + rest.join('') };
    const entry = upper.entry(at);
    if (entry === null)
      return { state: hidden ? 'hidden' : 'none', lowerPath: lowerPath + rest.join('') };
    switch (entry.type) {
      case 'whiteout':
        return { state: last ? 'whiteout' : 'hidden', lowerPath: lowerPath + rest.join('') };
      case 'directory':
        if (last) return { state: 'hidden', lowerPath };
        hidden ||= entry.opaque;
        lowerPath = redirected(lowerPath, entry.redirect);
        break;
      case 'file':
        if (!last) return { state: 'hidden', lowerPath: lowerPath + rest.join('') };
        return entry.metadataOnly
          ? { state: 'metadata', lowerPath: redirected(lowerPath, entry.redirect) }
          : { state: 'copy', lowerPath };
      case 'symlink':
      case 'other':
        return { state: 'hidden', lowerPath: lowerPath + rest.join('') };
    }
  }
  return { state: 'none', lowerPath };
};
