import type { KeyObject } from 'node:crypto';
import { Checkpoint, checkpointLink, signatureProblem } from './checkpoint.ts';

export interface AnchorsChecked {
  /** How many anchors are checkpoints of the bundle. */
  anchored: number;
  problems: string[];
}

/**
 * Whether checkpoints that were kept outside (anchors) are those of a bundle: whoever holds the server's key can write all of
 * it anew, but not what was sent away before. `hashes`: of the bundle's checkpoints by number; those before the first are not in it.
 */
export const checkAnchors = (
  anchors: readonly unknown[],
  hashes: ReadonlyMap<number, string>,
  keys: ReadonlyMap<string, KeyObject>,
): AnchorsChecked => {
  let first = Infinity;
  let last = 0;
  // Not as arguments of one call: there is one for each minute of years.
  for (const number of hashes.keys()) {
    first = Math.min(first, number);
    last = Math.max(last, number);
  }
  let anchored = 0;
  const problems = anchors.flatMap((anchor, index) => {
    const parsed = Checkpoint.safeParse(anchor);
    if (!parsed.success) return [`anchor ${index + 1} is no checkpoint`];
    const { number } = parsed.data;
    const problem = signatureProblem(parsed.data, keys);
    if (problem !== null) return [`anchor ${index + 1}, checkpoint ${number}, ${problem}`];
    if (number > last)
      return [
        `checkpoint ${number} was sent outside, and here is none after ${last}: the end was cut`,
      ];
    if (number < first) return [];
    if (hashes.get(number) !== checkpointLink(parsed.data).hash)
      return [`checkpoint ${number} is not the one that was sent outside`];
    anchored += 1;
    return [];
  });
  return { anchored, problems };
};
