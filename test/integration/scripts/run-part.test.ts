import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runPart } from '../../../scripts/run-part.ts';
import { isAlive } from '../../bed/processes.ts';

const TEN_MINUTES = 600_000;

const start = (limitMs: number, ...command: string[]) => {
  const child = 'test/integration/scripts/run-part.child.ts';
  const running = execa(process.execPath, ['--import', 'tsx', child, String(limitMs), ...command], {
    ...{ all: true, reject: false, env: { NODE_OPTIONS: '' } },
  });
  /** The pid that the part has written, once it has. */
  const pid = new Promise<number>((resolve) => {
    running.stdout.on('data', (part: Buffer) => {
      const found = /^pid (\d+)$/m.exec(part.toString());
      if (found !== null) resolve(Number(found[1]));
    });
  });
  return { running, pid };
};

/** Starts a process that hears no polite word, says which, and then does `rest`. */
const withStubborn = (rest: string): string[] => [
  'bash',
  '-c',
  `(trap '' INT TERM HUP; exec sleep 1000) & echo pid $!; ${rest}`,
];

test.each([
  ['exit 0', 0],
  ['exit 7', 7],
  ['kill -KILL $$', 1],
])('a part that does `%s` ends with %i', async (script, status) => {
  expect((await start(TEN_MINUTES, 'sh', '-c', script).running).exitCode).toBe(status);
});

test('a program that is not there fails, and says which', async () => {
  const { exitCode, all } = await start(TEN_MINUTES, 'no-such-program').running;
  expect({ exitCode, all }).toEqual({
    exitCode: 99,
    all: expect.stringContaining('no-such-program'),
  });
});

test('nothing that it began is left after its end', async () => {
  const { running, pid } = start(TEN_MINUTES, ...withStubborn('exit 3'));
  expect((await running).exitCode).toBe(3);
  expect(await isAlive(await pid)).toBe(false);
});

test('a part that does not come to its end in time is ended with all it began', async () => {
  const { running, pid } = start(1_000, ...withStubborn('wait'));
  const { exitCode, all } = await running;
  expect(exitCode).toBe(1);
  expect(all).toContain('ended: it had not come to its end');
  expect(await isAlive(await pid)).toBe(false);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s reaches it, and what does not heed it is ended',
  async (signal) => {
    // Not bash: one that comes just before bash waits, or as what it waited for ends, may not be heard.
    const program = 'test/integration/scripts/stubborn.child.ts';
    const { running, pid } = start(TEN_MINUTES, process.execPath, '--import', 'tsx', program);
    const stubborn = await pid;
    running.kill(signal);
    const { exitCode, all } = await running;
    expect(exitCode).toBe(130);
    expect(all).toContain('heard');
    expect(await isAlive(stubborn)).toBe(false);
  },
);

test('what it prints, and what it complains of, can go into a file instead', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'groundswell-part-'));
  const path = join(directory, 'printed');
  const file = await open(path, 'w');
  const command = ['sh', '-c', 'echo one; echo two >&2'];
  expect(await runPart({ name: 'this', command }, TEN_MINUTES, file.fd)).toBe(0);
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  await rm(directory, { recursive: true });
});
