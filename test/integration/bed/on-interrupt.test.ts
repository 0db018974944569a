import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gs-interrupt-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A program that writes for ever, and cleans up by making a file, after a moment. */
const program = (cleaned: string): string => `
  import { writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const { onInterrupt } = await import('${new URL('../../bed/on-interrupt.ts', import.meta.url).href}');
  onInterrupt(async () => {
    await sleep(100);
    writeFileSync('${cleaned}', '');
  }, (line) => console.log(line));
  for (;;) {
    console.log('at work');
    await sleep(5);
  }
`;

test.each<[string, number, (child: ReturnType<typeof spawn>) => unknown]>([
  ['Ctrl-C', 130, (child) => child.kill('SIGINT')],
  ['nobody who reads any more, as with "| head"', 141, (child) => child.stdout?.destroy()],
])(
  '%s cleans up, and ends as that does',
  async (_, status, interrupt) => {
    const cleaned = join(directory, 'cleaned');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program(cleaned)],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    interrupt(child);
    expect(await ended).toEqual([status, null]);
    expect(existsSync(cleaned)).toBe(true);
  },
  20_000,
);
