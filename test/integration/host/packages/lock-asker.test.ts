import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createLockAsker } from '../../../../src/host/packages/lock-asker.ts';
import { needsRoot } from '../../needs-root.ts';
import { runWithoutForks } from '../without-forks.ts';
import type { NoFork } from '../without-forks.ts';

let directory: string;
const at = (name: string): string => join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-locks-'));
  await writeFile(at('a'), '');
  await writeFile(at('b'), '');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Holds a lock of a kind on a file until its input ends; resolves once it has it. */
const hold = async (
  name: string,
  call: string,
): Promise<{ pid: number; end: () => Promise<void> }> => {
  const script = `import fcntl,struct,sys\nf=open(sys.argv[1],"r+")\n${call}\nprint("held",flush=True)\nsys.stdin.read()`;
  const child = execa('python3', ['-c', script, at(name)], { buffer: false, reject: false });
  await once(child.stdout, 'data');
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.stdin.end();
      await child;
    },
  };
};

const ofDescription = 'fcntl.fcntl(f, 37, struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0))';

describe('asking for locks', () => {
  test('of a process, of an open file, of another kind, of none, of no file', async () => {
    const locks = createLockAsker();
    const asked = [at('a'), at('b'), at('c')];
    expect(await locks.ask(asked)).toEqual([null, null, null]);
    const first = await hold('a', 'fcntl.lockf(f, fcntl.LOCK_EX)');
    const second = await hold('b', ofDescription);
    expect(await locks.ask(asked)).toEqual([first.pid, -1, null]);
    await first.end();
    await second.end();
    const other = await hold('a', 'fcntl.flock(f, fcntl.LOCK_EX)');
    expect(await locks.ask(asked)).toEqual([null, null, null]);
    await other.end();
    // Whoever only looks shares theirs.
    const shared = await hold('a', 'fcntl.lockf(f, fcntl.LOCK_SH)');
    expect(await locks.ask(asked)).toEqual([null, null, null]);
    await shared.end();
    locks.rest();
  });

  test('many questions at once, each with its own answer', async () => {
    const locks = createLockAsker();
    const holder = await hold('a', 'fcntl.lockf(f, fcntl.LOCK_EX)');
    const names = Array.from({ length: 50 }, (_, n) => (n % 3 === 0 ? 'a' : 'b'));
    const answers = await Promise.all(names.map((name) => locks.ask([at(name)])));
    expect(answers).toEqual(names.map((name) => [name === 'a' ? holder.pid : null]));
    await holder.end();
    locks.rest();
  });

  test('takes no lock itself', async () => {
    const locks = createLockAsker();
    const answers = Promise.all(Array.from({ length: 200 }, () => locks.ask([at('a')])));
    // Fails at once where anybody has the lock.
    const taken = await Promise.all(
      Array.from({ length: 5 }, () =>
        execa('python3', [
          '-c',
          'import fcntl,sys\nf=open(sys.argv[1],"r+")\nfor n in range(2000):\n fcntl.lockf(f, fcntl.LOCK_SH|fcntl.LOCK_NB)\n fcntl.lockf(f, fcntl.LOCK_UN)',
          at('a'),
        ]),
      ),
    );
    expect(taken.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    await answers;
    locks.rest();
  });

  test.each([
    ['there is none', '/nonexistent/perl', null],
    ['it ends at once', '/bin/true', null],
    ['it hangs', 'program', '#!/bin/sh\nexec sleep 60\n'],
    [
      'it answers something else',
      'program',
      '#!/bin/sh\nread -r line; echo "free free"; exec cat\n',
    ],
    [
      'it answers too much',
      'program',
      '#!/bin/sh\nread -r line; printf "free\\tfree\\n"; exec cat\n',
    ],
  ])('no answer where %s, and the next question begins anew', async (_how, program, text) => {
    if (text !== null) {
      await writeFile(at(program), text);
      await chmod(at(program), 0o755);
    }
    const locks = createLockAsker(text === null ? program : at(program));
    expect(await locks.ask([at('a')])).toBeNull();
    expect(await Promise.all([locks.ask([at('a')]), locks.ask([at('b')])])).not.toContainEqual([
      null,
    ]);
    locks.rest();
  });

  needsRoot(test).each<[NoFork]>([['EAGAIN'], ['ENOMEM']])(
    'no answer where nothing can be forked, and no signal to anybody: %s',
    async (how) => {
      const module = new URL('../../../../src/host/packages/lock-asker.ts', import.meta.url).href;
      const lines = await runWithoutForks(`
        const { createLockAsker } = await import('${module}');
        const locks = createLockAsker();
        const free = ['/nonexistent/lock'];
        deny('${how}');
        console.log(JSON.stringify(await Promise.all([locks.ask(free), locks.ask(free)])));
        await next();
        locks.rest();
        console.log('alive');
        allow();
        if ('${how}' === 'ENOMEM') console.log(JSON.stringify(await locks.ask(free)));
        locks.rest();
      `);
      expect(lines).toEqual(['[null,null]', 'alive', ...(how === 'ENOMEM' ? ['[null]'] : [])]);
    },
  );

  test('a path that a line cannot hold is not asked', async () => {
    const locks = createLockAsker();
    expect(await locks.ask([at('a\nb')])).toBeNull();
    expect(await locks.ask([at('a\tb')])).toBeNull();
    locks.rest();
  });
});
