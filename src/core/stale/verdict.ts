import type { Verification } from '../messages.ts';
import type { ContainerScan, ShadowedFile, StaleFile } from '../observation.ts';

/** The word for what a scan found of a container. */
export type ScanVerdict = 'stale' | 'shadowed' | 'unknown' | 'current' | 'not running';

/**
 * The worst that a scan found. Stale is known where it was seen, whatever else could not be read;
 * nothing is current while something is unknown.
 */
export const verdictOf = (scan: ContainerScan): ScanVerdict => {
  if (scan.stale.length > 0) return 'stale';
  if (scan.shadowed.length > 0) return 'shadowed';
  if (scan.unreadable.length > 0) return 'unknown';
  return scan.instance === null ? 'not running' : 'current';
};

/** What a check after a restart says; a container that does not run is not verified. */
export const verificationOf = (scan: ContainerScan): Verification => {
  const verdict = verdictOf(scan);
  if (verdict === 'current') return 'verified';
  return verdict === 'not running' ? 'unknown' : verdict;
};

/** One stale file in a sentence without a full stop. */
export const staleText = ({ pid, command, path, kind, process }: StaleFile): string => {
  const who =
    process === 'monitor' ? `its LXC monitor, process ${pid},` : `process ${pid} ${command}`;
  return kind === 'removed'
    ? `${who} maps ${path}, which the host has removed`
    : `${who} maps ${path} from before the upgrade`;
};

/** One shadowed file in a sentence without a full stop. */
export const shadowedText = ({ path, kind, ownVersion }: ShadowedFile): string => {
  if (ownVersion !== null) return `own version ${ownVersion} of ${path}`;
  switch (kind) {
    case 'copy':
      return `its own copy hides the host's ${path}`;
    case 'symlink':
      return `its own link hides the host's ${path}`;
    case 'whiteout':
      return `it has deleted ${path}`;
    case 'opaque':
      return `an emptied directory of its own hides the host's ${path}`;
    case 'redirect':
      return `something that it moved hides the host's ${path}`;
  }
};

const more = (text: string, rest: number, what: string): string =>
  rest === 0 ? text : `${text} (and ${rest} more ${what}${rest === 1 ? '' : 's'})`;

/** Why a container has its verdict, in one line; '' where there is nothing to say. */
export const whyOf = (scan: ContainerScan): string => {
  // The container's own processes first: they are what serves.
  const stale = scan.stale.find(({ process }) => process === 'container') ?? scan.stale[0];
  if (stale !== undefined) return more(staleText(stale), scan.stale.length - 1, 'mapping');
  const [shadowed] = scan.shadowed;
  if (shadowed !== undefined)
    return `${more(shadowedText(shadowed), scan.shadowed.length - 1, 'file')}: a restart cannot fix it`;
  const [unreadable] = scan.unreadable;
  if (unreadable !== undefined)
    return more(
      `cannot read ${unreadable.what}: ${unreadable.reason}`,
      scan.unreadable.length - 1,
      'obstacle',
    );
  return '';
};
