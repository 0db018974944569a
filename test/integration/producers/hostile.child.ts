// Reads changed documents of one parser in a process of its own, so that a parser that hangs or takes all memory ends nothing else.
// argv[2] (JSON): a HostileOrder. Tells its parent of each document before it is read; run by hand, it prints what it finds.
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { errorText } from '../../../src/core/error-text.ts';
import { brokenTargets } from './broken-parsers.ts';
import { archiveTargets } from './hostile-archives.ts';
import type { HostileTarget } from './hostile-target.ts';
import { sourceTargets } from './hostile-targets.ts';
import type { HostileOrder, HostileWord } from './hostile.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as HostileOrder;
const tell = (word: HostileWord): void => {
  if (process.send !== undefined) process.send(word);
  else if (word.kind !== 'reads') console.log(word);
};

/** Where a process is beyond its bound it does nothing more: what is read now is what it has read last. */
const stayWithin = async (mostMb: number): Promise<void> => {
  const mb = Math.round(process.memoryUsage.rss() / 2 ** 20);
  if (mb <= mostMb) return;
  tell({ kind: 'failed', path: null, reason: `the process has grown to ${mb} MB` });
  if (process.send === undefined) process.exit(1);
  await new Promise(() => undefined);
};

const readAll = async (target: HostileTarget): Promise<boolean> => {
  const { changed, check } = await target.prepare(dirname(order.copy));
  tell({ kind: 'begins', document: target.document });
  let run = 0;
  const property = fc.asyncProperty(changed, async (content) => {
    run += 1;
    writeFileSync(order.copy, content);
    tell({ kind: 'reads', run });
    await check(content);
    await stayWithin(order.mostMb);
  });
  const { each: numRuns, seed, path } = order;
  const details = await fc.check(property, { numRuns, seed, ...(path === null ? {} : { path }) });
  if (!details.failed || details.counterexample === null) return !details.failed;
  writeFileSync(order.copy, details.counterexample[0]);
  const reason = errorText(details.errorInstance).slice(0, 2_000);
  tell({ kind: 'failed', path: details.counterexamplePath, reason });
  return false;
};

// Whoever waits for ever is ended by its parent, and does not end by itself.
process.on('message', () => undefined);
const all = [...sourceTargets, ...archiveTargets, ...brokenTargets].filter(
  ({ of, document }) => of === order.of && (order.document ?? document) === document,
);
let isSound = true;
for (const target of all) isSound &&= await readAll(target);
if (isSound) tell({ kind: 'done', peakMb: Math.round(process.resourceUsage().maxRSS / 1024) });
if (process.send !== undefined) process.disconnect();
