import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { FORKER_NAME, SPARE_NAME } from '../../../../src/host/lxc/child-identity.ts';
import { createSpareProcesses } from '../../../../src/host/lxc/spare-processes.ts';
import { isLive, readProcessStat } from '../../../../src/host/lxc/process-stat.ts';
import type { Ended } from '../../../../src/host/lxc/spare-process.ts';
import type { ForkerOptions } from '../../../../src/host/lxc/forker.ts';
import type { SpareProcesses } from '../../../../src/host/lxc/spare-processes.ts';
import { signalProcess } from '../../../bed/processes.ts';
import { waitUntil } from '../../../bed/wait-until.ts';
import { needsRoot } from '../../needs-root.ts';
import { runWithoutForks } from '../without-forks.ts';
import type { NoFork } from '../without-forks.ts';

const module = new URL('../../../../src/host/lxc/spare-processes.ts', import.meta.url).href;
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

const openFiles = 200;

const stateOf = (pid: number): string | null => readProcessStat('/proc', pid)?.state ?? null;

/** Not one that has ended and that nobody has asked after yet. */
const isThere = (pid: number): boolean => isLive(readProcessStat('/proc', pid));

const program = (name: string): string => join(directory, name);

const run = async (spares: SpareProcesses, ...argv: string[]): Promise<Ended> =>
  spares.begin(argv, { openFiles }).ended;

/** The pid under which `argv` begins, as it is told before it does. */
const pidOf = async (spares: SpareProcesses, ...argv: string[]): Promise<number> => {
  let told = 0;
  await spares.begin(argv, { openFiles, onChild: ({ pid }) => (told = pid) }).ended;
  return told;
};

/** By the parents of all processes: the kernel's lists of children leave some out while others end (proc(5)). */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((child) => readProcessStat('/proc', child)?.parent === pid);

const argumentsOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

/**
 * All children, to be told from later ones: a shell that has just been forked has no arguments yet, by which it would be
 * known.
 */
const childrenNow = (): number[] => childrenOf(process.pid);

const forkersSince = (before: readonly number[]): number[] =>
  childrenNow().filter((pid) => !before.includes(pid) && argumentsOf(pid)[3] === FORKER_NAME);

/** Spares that wait with the forkers that were not there before. */
const waitingNow = (before: readonly number[]): number[] =>
  forkersSince(before)
    .flatMap(childrenOf)
    .filter((pid) => argumentsOf(pid)[3] === SPARE_NAME);

interface Warm {
  spares: SpareProcesses;
  forker: number;
  spare: number;
}

/** Spares that have said who they are, and were heard. */
const heard = new Set<number>();

/** A spare that waits with a forker that was not there before, and is not `not`. */
const anotherSpare = (before: readonly number[], not?: number): Promise<number> =>
  waitUntil(
    'a spare to wait',
    () => waitingNow(before).find((pid) => pid !== not && heard.has(pid)) ?? null,
    { deadlineMs: 5_000, everyMs: 5 },
  );

/** With one forker, whose spare waits. */
const warm = async (options: Partial<ForkerOptions> = {}): Promise<Warm> => {
  const before = childrenNow();
  // A busy machine may take longer to fork than an agent would wait.
  const spares = createSpareProcesses({
    greetingMs: 30_000,
    onSpare: (pid) => heard.add(pid),
    ...options,
  });
  await run(spares, 'true');
  const spare = await anotherSpare(before);
  const [forker] = forkersSince(before);
  if (forker === undefined) throw new Error('there is no forker');
  return { spares, forker, spare };
};

/** What such code prints in a process of its own, which has to end by itself. */
const runAlone = async (code: string): Promise<string> => {
  const { stdout } = await execa(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', code],
    { env: { NODE_OPTIONS: '' }, timeout: 20_000 },
  );
  return stdout;
};

/** Without a spare that waits, and with one. */
const cold = (): Promise<SpareProcesses> => Promise.resolve(createSpareProcesses());
const warmed = async (): Promise<SpareProcesses> => (await warm()).spares;

describe('a spare process', () => {
  describe.each([
    ['forked for its command', cold],
    ['that has waited', warmed],
  ])('%s', (_, create) => {
    test('becomes the command, with its pid, its words, its limit on files and no input', async () => {
      const spares = await create();
      const words = ['-n', 'a b', "it's", '$HOME', '*', '\\', 'next', '-'];
      let pid = 0;
      const running = spares.begin([program('lxc-start'), ...words], {
        openFiles,
        onChild: (child) => (pid = child.pid),
      });
      expect(await running.ended).toEqual({
        stdout: `${pid} none 200 ${words.join(' ')}\n`,
        stderr: '',
        exitCode: 0,
        signal: null,
      });
    });

    test('marks the stops that are ours, and nothing else', async () => {
      const spares = await create();
      expect((await run(spares, program('lxc-stop'), '-n', 'a')).stdout).toContain(' 1 200 ');
      expect((await run(spares, program('lxc-start'), '-n', 'a')).stdout).toContain(' none 200 ');
    });

    test('keeps both outputs apart and whole, with or without a newline at the end', async () => {
      const spares = await create();
      const script = 'printf out; printf err >&2; exit 3';
      for (let count = 0; count < 3; count++)
        expect(await run(spares, 'sh', '-c', script)).toEqual({
          stdout: 'out',
          stderr: 'err',
          exitCode: 3,
          signal: null,
        });
    });

    test('has an end of its own among many at once', async () => {
      const spares = await create();
      for (let round = 0; round < 3; round++) {
        const ends = Array.from({ length: 6 }, (_each, index) =>
          run(spares, 'sh', '-c', `echo ${index}; exit ${index}`),
        );
        expect(await Promise.all(ends)).toMatchObject(
          ends.map((_each, index) => ({ stdout: `${index}\n`, exitCode: index })),
        );
      }
    });

    test('that is killed after it has begun says so, and the next one runs', async () => {
      const spares = await create();
      let pid = 0;
      const running = spares.begin(['sleep', '60'], {
        openFiles,
        onChild: (child) => (pid = child.pid),
      });
      process.kill(pid, 'SIGKILL');
      expect(await running.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
      expect(await run(spares, 'echo', 'well')).toMatchObject({ stdout: 'well\n', exitCode: 0 });
    });

    test('is ended by force when it does not end', async () => {
      const spares = await create();
      const running = spares.begin(
        ['sh', '-c', "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
        { openFiles },
      );
      running.kill();
      expect((await running.ended).signal).toMatch(/^SIG(TERM|KILL)$/);
    });
  });

  test('is there before the next command is', async () => {
    const { spares, spare } = await warm();
    expect(await pidOf(spares, 'true')).toBe(spare);
  });

  test('is forked for many commands by few shells', async () => {
    const before = childrenNow();
    const { spares } = await warm();
    const pids = new Set<number>();
    for (let count = 0; count < 10; count++) pids.add(await pidOf(spares, 'true'));
    expect(pids.size).toBe(10);
    expect(forkersSince(before).length).toBeLessThanOrEqual(2);
  });

  test('waits while another one runs', async () => {
    const before = childrenNow();
    const { spares, spare } = await warm();
    const first = spares.begin(['sleep', '60'], { openFiles });
    const other = await anotherSpare(before, spare);
    expect(await pidOf(spares, 'true')).toBe(other);
    first.kill();
    await first.ended;
  });

  test('that was killed while it waited is not used, though its end was not heard of yet', async () => {
    const { spares, spare } = await warm();
    process.kill(spare, 'SIGKILL');
    // In the same tick: it is dead, and nobody has told us yet.
    while (isThere(spare));
    expect((await run(spares, program('lxc-start'))).stdout).toMatch(/^\d+ none/);
  });

  test('is not used when the shell that forked it was killed', async () => {
    const { spares, forker, spare } = await warm();
    process.kill(forker, 'SIGKILL');
    while (isThere(forker));
    expect(await pidOf(spares, 'true')).not.toBe(spare);
    await waitUntil('the spare to have ended', () => !isThere(spare), { deadlineMs: 5_000 });
  });

  test('that dies while it reads its command leaves none of its words to be run', async () => {
    const file = join(directory, 'lines');
    for (let round = 0; round < 10; round++) {
      await writeFile(file, '');
      const { spares, forker, spare } = await warm();
      const running = spares.begin(['sh', '-c', 'echo run >>"$0"', file, 'next', 'next'], {
        openFiles,
      });
      // It may be over already.
      signalProcess(spare, 'SIGKILL');
      const { exitCode } = await running.ended;
      expect(await run(spares, 'echo', 'well')).toMatchObject({ stdout: 'well\n', exitCode: 0 });
      const lines = readFileSync(file, 'utf8');
      expect(exitCode === 0 ? ['run\n'] : ['', 'run\n']).toContain(lines);
      if (exitCode === null)
        await waitUntil('its shell to have ended', () => !isThere(forker), { deadlineMs: 5_000 });
    }
  });

  test('is not used when it, or the shell that forked it, was stopped', async () => {
    for (const which of ['forker', 'spare'] as const) {
      const { spares, ...pids } = await warm();
      process.kill(pids[which], 'SIGSTOP');
      await waitUntil('it to be stopped', () => stateOf(pids[which]) === 'T', {
        deadlineMs: 5_000,
      });
      expect(await pidOf(spares, 'true')).not.toBe(pids.spare);
      process.kill(pids[which], 'SIGCONT');
    }
  });

  test('is not waited for without an end where the shell that forked it does not tell of it', async () => {
    const { spares, forker, spare } = await warm();
    const running = spares.begin(['sleep', '60'], { openFiles });
    process.kill(forker, 'SIGSTOP');
    running.kill();
    expect(await running.ended).toMatchObject({ exitCode: null, signal: null });
    await waitUntil('both to be gone', () => !isThere(forker) && !isThere(spare), {
      deadlineMs: 5_000,
    });
    expect(await run(spares, 'echo', 'well')).toMatchObject({ stdout: 'well\n', exitCode: 0 });
  });

  test('hears nothing of what a former one left behind', async () => {
    const before = childrenNow();
    const { spares } = await warm();
    const gate = join(directory, 'gate');
    await execa('mkfifo', [gate]);
    const script = '(read line <"$0"; echo 12; echo 1 >&2; exec sleep 60) & echo $!';
    const left = Number((await run(spares, 'sh', '-c', script, gate)).stdout);
    await anotherSpare(before);
    await writeFile(gate, 'go on\n');
    await waitUntil('it to have spoken', () => argumentsOf(left)[0] === 'sleep', {
      deadlineMs: 5_000,
      everyMs: 5,
    });
    expect(await run(spares, 'echo', 'well')).toEqual({
      stdout: 'well\n',
      stderr: '',
      exitCode: 0,
      signal: null,
    });
    process.kill(left, 'SIGKILL');
  });

  test('that was forked for its command does not wait for what that leaves behind', async () => {
    const spares = createSpareProcesses();
    const { stdout, exitCode } = await run(spares, 'sh', '-c', 'sleep 60 & echo $!');
    expect(exitCode).toBe(0);
    process.kill(Number(stdout), 'SIGKILL');
  });

  test('is not begun, and keeps nobody, where it cannot be journaled', async () => {
    const code = `
      import { createSpareProcesses } from '${module}';
      const onChild = () => { throw new Error('a full disk'); };
      try { createSpareProcesses().begin(['echo', 'begun'], { openFiles: 200, onChild }); }
      catch (error) { console.log(error.message); }
    `;
    const stdout = await runAlone(code);
    expect(stdout).toBe('a full disk');
  });

  test('goes on when the shell that forked it is killed, and is waited for', async () => {
    const { spares, forker, spare } = await warm();
    const fifo = join(directory, 'fifo');
    await execa('mkfifo', [fifo]);
    const running = spares.begin(['sh', '-c', 'read line <"$0"; echo over', fifo], { openFiles });
    process.kill(forker, 'SIGKILL');
    let over = false;
    const ended = running.ended.then((end) => {
      over = true;
      return end;
    });
    await waitUntil('the shell to be gone', () => !isThere(forker), { deadlineMs: 5_000 });
    expect([over, isThere(spare)]).toEqual([false, true]);
    await writeFile(fifo, 'go on\n');
    expect(await ended).toMatchObject({ exitCode: null, signal: 'SIGKILL', stdout: 'over\n' });
  });

  test('is kept no longer than it is needed', async () => {
    const { spares, forker, spare } = await warm({ keepMs: 300 });
    expect(await pidOf(spares, 'true')).toBe(spare);
    await waitUntil('all to have ended', () => !isThere(forker), { deadlineMs: 5_000 });
    expect(await run(spares, 'echo', 'well')).toMatchObject({ stdout: 'well\n' });
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
      const { readFileSync } = await import('node:fs');
      const childrenOf = (pid) => readFileSync('/proc/' + pid + '/task/' + pid + '/children', 'utf8').trim();
      for (;;) {
        const forker = childrenOf(process.pid);
        const spare = forker === '' ? '' : childrenOf(forker);
        if (spare !== '') { console.log(forker, spare); break; }
        await new Promise((resolve) => setImmediate(resolve));
      }
    `;
    // It ends by itself: a spare that waits is no reason to stay.
    const stdout = await runAlone(code);
    const pids = stdout.trim().split(' ');
    expect(pids).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
    await waitUntil(
      'the spare and its forker to have ended with their parent',
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
