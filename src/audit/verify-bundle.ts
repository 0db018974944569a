import type { KeyObject } from 'node:crypto';
import { readLine } from './bundle-lines.ts';
import type { BundleEnd, BundleLine, BundleStart, CheckpointLine } from './bundle-lines.ts';
import { checkAnchors } from './check-anchors.ts';
import { checkpointLink, noCheckpoint, signatureProblem } from './checkpoint.ts';
import type { CheckpointLink } from './checkpoint.ts';
import { printable } from '../core/printable.ts';
import { followChains } from './follow-chains.ts';
import { createOpenRestarts } from './open-restarts.ts';
import type { OpenRestart } from './open-restarts.ts';

/** What is wrong with a bundle, and where. */
export interface Finding {
  /** From 1 on; null: of the bundle as a whole. */
  line: number | null;
  what: string;
}

export interface VerifyOptions {
  /** Keys of the server that are believed, by id. */
  keys: ReadonlyMap<string, KeyObject>;
  /** Checkpoints that were kept outside: each must be in the bundle as it was sent. */
  anchors: readonly unknown[];
  /** It may begin with a later record than the first: what was before is elsewhere. */
  partial: boolean;
  /** What the server has seen begin so shortly before it wrote the bundle may be under way still; 0: nothing may. */
  underWayMs: number;
}

export interface VerifiedBundle {
  /** None: the bundle says what was written at the time. The first hundred. */
  findings: Finding[];
  /** How many there are in all. */
  found: number;
  records: number;
  chains: number;
  checkpoints: number;
  /** The last checkpoint of the bundle. */
  last: CheckpointLink;
  /** When it was written, in ISO 8601; null: it does not end. */
  at: string | null;
  /** Number of the checkpoint that it goes on from; 0: it begins with the first record. */
  after: number;
  /** How many anchors were found in it. */
  anchored: number;
  /** What had begun and not ended where it ends. */
  underWay: OpenRestart[];
}

/** So many are kept; all of the bundle is read, for what is wrong with one host says nothing of the others. */
const mostFindings = 100;

/**
 * Whether a bundle (docs/reference/audit-format.md) says what was written at the time: line by line, in memory that depends
 * on the number of chains, checkpoints and grants, and not on that of records. Finds what was edited, deleted, swapped, reordered, doubled, cut at either end, spelled
 * anew or signed by somebody else, checkpoints and anchors that do not fit, and what began and has no outcome. Throws only
 * where reading `lines` does.
 */
export const verifyBundle = async (
  lines: AsyncIterable<string | readonly string[]>,
  { keys, anchors, partial, underWayMs }: VerifyOptions,
): Promise<VerifiedBundle> => {
  const findings: Finding[] = [];
  const counts = { lines: 0, records: 0, checkpoints: 0, found: 0 };
  const found = (what: string, line: number | null = counts.lines): void => {
    counts.found += 1;
    if (findings.length < mostFindings) findings.push({ line, what: printable(what) });
  };
  const chains = followChains(found);
  const open = createOpenRestarts();
  const hashes = new Map<number, string>();
  let last: CheckpointLink = noCheckpoint;
  let after = 0;
  const ends: BundleEnd[] = [];

  const onStart = ({ after: before }: BundleStart): void => {
    if (counts.lines !== 1) return found('another bundle begins in the middle of it');
    if (before === null) return;
    const { checkpoint, leaves } = before;
    last = checkpointLink(checkpoint);
    after = last.number;
    hashes.set(after, last.hash);
    const problem = signatureProblem(checkpoint, keys);
    if (problem !== null) found(`the checkpoint that it goes on from ${problem}`);
    chains.resume(checkpoint, leaves);
    if (!partial) found(`its records begin after checkpoint ${after}: those before were cut`);
  };

  const onCheckpoint = ({ checkpoint, changed }: CheckpointLine): void => {
    counts.checkpoints += 1;
    const { number, previous } = checkpoint;
    const problem = signatureProblem(checkpoint, keys);
    if (problem !== null) found(`checkpoint ${number} ${problem}`);
    if (number <= last.number) return found(`checkpoint ${number} is there twice, or an old one`);
    if (number !== last.number + 1)
      found(`checkpoints ${last.number + 1} to ${number - 1} are missing`);
    else if (previous !== last.hash)
      found(`checkpoint ${number} does not follow the one before it`);
    chains.compare(checkpoint, changed);
    open.seen(Date.parse(checkpoint.at));
    last = checkpointLink(checkpoint);
    hashes.set(number, last.hash);
  };

  const onEnd = (end: BundleEnd): void => {
    ends.push(end);
    const problem = signatureProblem(end, keys);
    if (problem !== null) found(`the end of the bundle ${problem}`);
    if (end.records !== counts.records)
      found(`${end.records} records were written into it, and ${counts.records} are there`);
    if (end.checkpoint.number !== last.number || end.checkpoint.hash !== last.hash)
      found(`it was written up to checkpoint ${end.checkpoint.number}, and this is another one`);
    if (chains.unseen() > 0) found('there are records that no checkpoint has seen');
    if (end.of === 'segment' && !partial)
      found('it is a part that was sealed away, not a whole trail');
  };

  const onLine = (line: BundleLine, recordText: string): void => {
    if (ends.length > 0) return found('there is more after its end');
    if (counts.lines === 1 && line.type !== 'start')
      found('it does not begin as a bundle does: its head was cut');
    switch (line.type) {
      case 'start':
        return onStart(line);
      case 'record':
        counts.records += 1;
        chains.take(line, recordText);
        return open.take(line, counts.lines);
      case 'checkpoint':
        return onCheckpoint(line);
      case 'end':
        return onEnd(line);
    }
  };

  const onText = (text: string): void => {
    counts.lines += 1;
    const read = readLine(text);
    if (read.kind === 'unreadable') found(`this line ${read.reason}`);
    else onLine(read.line, read.record);
  };

  for await (const some of lines)
    if (typeof some === 'string') onText(some);
    else for (const text of some) onText(text);
  const [end] = ends;
  const at = end?.at ?? null;
  if (at === null)
    found(
      counts.lines === 0 ? 'it is empty' : 'it does not end as a bundle does: its end was cut',
      null,
    );
  // By the server's clock alone, which may have been set back: what a host says of the time excuses nothing.
  const isYoung = (seenMs: number | null): boolean =>
    at !== null && seenMs !== null && Math.max(0, Date.parse(at) - seenMs) < underWayMs;
  // What began in a sealed part may end in the next.
  const mayRun = ({ seenMs }: OpenRestart): boolean => end?.of === 'segment' || isYoung(seenMs);
  const left = open.left();
  for (const one of left) if (!mayRun(one)) found(`${one.what} has no outcome`, one.line);
  const { anchored, problems } = checkAnchors(anchors, hashes, keys);
  for (const problem of problems) found(problem, null);
  return {
    ...{ findings, found: counts.found, last, at, after, anchored, underWay: left.filter(mayRun) },
    ...{ records: counts.records, checkpoints: counts.checkpoints, chains: chains.chains() },
  };
};
