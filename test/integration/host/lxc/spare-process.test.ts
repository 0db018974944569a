import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createSpareProcesses } from '../../../../src/host/lxc/spare-process.ts';
import type { Ended, SpareProcesses } from '../../../../src/host/lxc/spare-process.ts';
import { waitUntil } from '../../../bed/wait-until.ts';
import { needsRoot } from '../../needs-root.ts';
import { runWithoutForks } from '../without-forks.ts';
import type { NoFork } from '../without-forks.ts';

const module = new URL('../../../../src/host/lxc/spare-process.ts', import.meta.url).href;
let directory: string;

/** Tells what it was given: its pid, the mark of our stops, its limit on open files, its words. */
const teller = `#!/bin/sh
echo "$$ \${GROUNDSWELL_STOP:-none} $(ulimit -S -n) $*"
cat
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-spare-'));
  for (const name of ['lxc-stop', 'lxc-start']) {
    await writeFile(join(directory, name), teller);
    await chmod(join(directory, name), 0o755);
  }
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const childrenNow = async (): Promise<string[]> =>
  (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).split(' ').filter(Boolean);

const openFiles = 200;

const program = (name: string): string => join(directory, name);

const run = async (spares: SpareProcesses, ...argv: string[]): Promise<Ended> =>
  spares.begin(argv, { openFiles }).ended;

/** The pid under which `argv` begins, as it is told before it does. */
const pidOf = async (spares: SpareProcesses, ...argv: string[]): Promise<number> => {
  let told = 0;
  await spares.begin(argv, { openFiles, onChild: ({ pid }) => (told = pid) }).ended;
  return told;
};

/** The pid of the spare that is forked while a first command runs. */
const spareOf = async (spares: SpareProcesses): Promise<number> => {
  const before = await childrenNow();
  const first = String(await pidOf(spares, 'true'));
  const spare = await waitUntil(
    'a spare to wait',
    async () => (await childrenNow()).find((pid) => pid !== first && !before.includes(pid)) ?? null,
    { deadlineMs: 5_000 },
  );
  return Number(spare);
};

describe('a spare process', () => {
  test('becomes the command, with its pid, its words, its limit on files and no input', async () => {
    const spares = createSpareProcesses();
    const words = ['-n', 'a b', "it's", '$HOME', '*', '\\'];
    let pid = 0;
    const running = spares.begin([program('lxc-start'), ...words], {
      openFiles,
      onChild: (child) => (pid = child.pid),
    });
    expect(await running.ended).toMatchObject({
      stdout: `${pid} none 200 ${words.join(' ')}\n`,
      exitCode: 0,
    });
  });

  test('marks the stops that are ours, and nothing else', async () => {
    const spares = createSpareProcesses();
    expect((await run(spares, program('lxc-stop'), '-n', 'a')).stdout).toContain(' 1 200 ');
    expect((await run(spares, program('lxc-start'), '-n', 'a')).stdout).toContain(' none 200 ');
  });

  test('is there before the next command is', async () => {
    const spares = createSpareProcesses();
    const waiting = await spareOf(spares);
    expect(await pidOf(spares, 'true')).toBe(waiting);
  });

  test('is one of two that are forked when there is none, so that a start forks none', async () => {
    const spares = createSpareProcesses();
    await spareOf(spares);
    const two = await waitUntil(
      'both',
      async () => {
        const now = (await childrenNow()).slice(-2);
        return now.length === 2 ? now : null;
      },
      { deadlineMs: 5_000 },
    );
    const used = [await pidOf(spares, 'true'), await pidOf(spares, 'true')];
    expect(used.map(String)).toEqual(two);
  });

  test('that was killed while it waited is not used, though its end was not heard of yet', async () => {
    const spares = createSpareProcesses();
    const waiting = await spareOf(spares);
    process.kill(waiting, 'SIGKILL');
    // In the same tick: it is dead, and nobody has told us yet.
    while (!readFileSync(`/proc/${waiting}/stat`, 'latin1').includes(') Z '));
    expect((await run(spares, program('lxc-start'))).stdout).toMatch(/^\d+ none/);
  });

  test('that is killed after it has begun says so', async () => {
    const spares = createSpareProcesses();
    let pid = 0;
    const running = spares.begin(['sleep', '60'], {
      openFiles,
      onChild: (child) => (pid = child.pid),
    });
    process.kill(pid, 'SIGKILL');
    expect(await running.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  test('is ended by force when it does not end', async () => {
    const spares = createSpareProcesses();
    const running = spares.begin(
      ['sh', '-c', "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
      {
        openFiles,
      },
    );
    running.kill();
    expect((await running.ended).signal).toMatch(/^SIG(TERM|KILL)$/);
  });

  test('that cannot be forked runs nothing, and the next one is tried anew', async () => {
    const code = `
      import { createSpareProcesses } from '${module}';
      import { closeSync, openSync } from 'node:fs';
      const spares = createSpareProcesses();
      const options = { openFiles: 200 };
      const taken = [];
      // Every file that this process may open, after which no pipe can be made.
      try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
      for (let count = 0; count < 3; count++) closeSync(taken.pop());
      try { spares.begin(['true'], options); console.log('begun'); } catch (error) { console.log(error.message); }
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      for (const fd of taken) closeSync(fd);
      console.log((await spares.begin(['echo', 'well'], options).ended).stdout);
    `;
    const { stdout } = await execa(
      'sh',
      [
        '-c',
        'ulimit -n 120; exec "$@"',
        'sh',
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '--eval',
        code,
      ],
      { env: { NODE_OPTIONS: '' }, timeout: 20_000 },
    );
    expect(stdout).toBe(
      'true was not run: no process could be forked (too many processes or open files, no memory?)\nwell\n',
    );
  });

  needsRoot(test).each<[NoFork]>([['EAGAIN'], ['ENOMEM']])(
    'runs nothing and says so where it cannot be forked: %s',
    async (how) => {
      const lines = await runWithoutForks(`
        const { createSpareProcesses } = await import('${module}');
        const spares = createSpareProcesses();
        deny('${how}');
        try { spares.begin(['true'], { openFiles: 200 }); } catch (error) { console.log(error.message); }
        await next();
        console.log('alive');
      `);
      expect(lines).toEqual([
        'true was not run: no process could be forked (too many processes or open files, no memory?)',
        'alive',
      ]);
    },
  );

  needsRoot(test).each<[NoFork]>([['EAGAIN'], ['ENOMEM']])(
    'ends nobody where none can be forked for the next command: %s',
    async (how) => {
      const lines = await runWithoutForks(`
        const { createSpareProcesses } = await import('${module}');
        const spares = createSpareProcesses();
        const { ended } = spares.begin(['true'], { openFiles: 200 });
        deny('${how}');
        console.log((await ended).exitCode);
        await next();
        if ('${how}' === 'ENOMEM') {
          allow();
          console.log((await spares.begin(['echo', 'well'], { openFiles: 200 }).ended).stdout.trim());
        }
      `);
      expect(lines).toEqual(how === 'ENOMEM' ? ['0', 'well'] : ['0']);
    },
  );

  test('does nothing when its parent is gone before it had a command, and keeps no parent alive', async () => {
    const code = `
      import { createSpareProcesses } from '${module}';
      await createSpareProcesses().begin(['true'], { openFiles: 200 }).ended;
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const { readFileSync } = await import('node:fs');
      console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
    `;
    // It ends by itself: a spare that waits is no reason to stay.
    const { stdout } = await execa(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', code],
      { env: { NODE_OPTIONS: '' }, timeout: 20_000 },
    );
    const pids = stdout.trim().split(' ');
    expect(pids).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
    await waitUntil(
      'the spares to have ended with their parent',
      () => pids.every((pid) => !existsSync(`/proc/${pid}`)),
      { deadlineMs: 5_000, everyMs: 5 },
    );
  });

  test('takes no word that it could not be given whole', () => {
    const { begin } = createSpareProcesses();
    expect(() => begin(['lxc-stop', '-n', 'a\nb'], { openFiles })).toThrow('newline');
    expect(() => begin(['lxc-stop', ''], { openFiles })).toThrow('empty word');
  });
});
