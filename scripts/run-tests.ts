import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DEFAULT_CACHE_DIRECTORY } from '../test/bed/bed.ts';
import { cleanAbandonedBeds } from '../test/bed/clean-abandoned.ts';
import { endSetup } from '../test/bed/end-setup.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { installOuterPackages } from '../test/bed/outer-packages.ts';
import { conclude } from './conclude.ts';
import { readSkipped } from './read-skipped.ts';
import { runPart } from './run-part.ts';
import type { Part } from './run-part.ts';

/**
 * The whole suite: the quick check, the model, the simulation, the tests against real stores, and those against real
 * hosts where they can run (root on Linux). Says in one line at the end what was not run and why.
 */
const limitMs = 30 * 60_000;

const canRunHosts = process.platform === 'linux' && process.getuid?.() === 0;
const parts: Part[] = [
  { name: 'check', command: ['npm', 'run', '--silent', 'check'] },
  { name: 'model', command: ['npm', 'run', '--silent', 'test:model'] },
  { name: 'simulation', command: ['npm', 'run', '--silent', 'test:simulation'] },
];
const notRun: string[] = [];
if (canRunHosts) {
  const log = (line: string): void => {
    console.log(line);
  };
  const off = onInterrupt(() => endSetup(DEFAULT_CACHE_DIRECTORY, log), log);
  try {
    // For versions of packages, as rpm itself orders them; the beds of Debian hosts need none.
    await installOuterPackages(log, [['rpm', '/usr/bin/rpm']]);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
  off();
  parts.push(
    { name: 'integration', command: ['npm', 'run', '--silent', 'test:integration'] },
    { name: 'real hosts', command: ['npm', 'run', '--silent', 'test:e2e'] },
  );
} else {
  if (existsSync('/usr/bin/redis-server') || process.env['REDIS_URL'] !== undefined) {
    parts.push({ name: 'integration', command: ['npm', 'run', '--silent', 'test:integration'] });
    notRun.push('what of integration mounts or changes owners (it needs root)');
  } else notRun.push('integration (no redis-server, and REDIS_URL is not set)');
  notRun.push('real hosts (they need root on Linux)');
}

// Jest, below whatever a part begins, writes there what it skips.
const skippedDirectory = await mkdtemp(join(tmpdir(), 'groundswell-skipped-'));
const skippedPath = join(skippedDirectory, 'tests');
process.env['GROUNDSWELL_SKIPPED'] = skippedPath;

const failed: string[] = [];
let passed = 0;
for (const part of parts) {
  console.log(`\n=== ${part.name} ===`);
  const began = performance.now();
  const code = await runPart(part, limitMs);
  console.log(`${part.name} took ${Math.round((performance.now() - began) / 1000)} s`);
  if (code === 130) {
    if (canRunHosts) await cleanAbandonedBeds();
    await rm(skippedDirectory, { recursive: true });
    process.exit(130);
  }
  if (code === 0) passed += 1;
  else failed.push(part.name);
}
if (canRunHosts) await cleanAbandonedBeds();
const skipped = await readSkipped(skippedPath);
await rm(skippedDirectory, { recursive: true });
const { lines, exitCode } = conclude({
  ...{ passed, failed, notRun, skipped },
  mustRunAll: process.env['CI'] === 'true',
});
console.log(`\n${lines.join('\n')}`);
process.exit(exitCode);
