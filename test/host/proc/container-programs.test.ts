import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { containerProgramsMemory, readImage } from '../../../src/host/proc/container-programs.ts';
import type { ContainerImages, SeenImage } from '../../../src/host/proc/container-programs.ts';
import { READERS, wordsChild } from '../../../src/host/proc/program-child.ts';
import type { StartWordsChild, WordsQuestion } from '../../../src/host/proc/program-child.ts';
import type { ProcessWords } from '../../../src/host/proc/read-program.ts';

let top: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'gs-programs-'));
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

const baseOf = (pid: number): string => join(top, String(pid));
const stat = (pid: number, argumentsAt: number): void => {
  const fields = ['S', 1, ...Array.from({ length: 17 }, () => 0), 4711];
  const rest = [...Array.from({ length: 25 }, () => 0), argumentsAt, argumentsAt + 10, 0];
  writeFileSync(join(baseOf(pid), 'stat'), `${pid} (x) ${[...fields, ...rest].join(' ')}\n`);
};
const words = (list: readonly string[]): string => list.map((word) => `${word}\0`).join('');

/** An interpreter in a container; `hanging`: who reads its command line waits until it is ended. */
const run = (
  pid: number,
  { argv = ['python3', 'main.py'], environ = [''], exe = '/usr/bin/python3', hanging = false } = {},
): SeenImage => {
  const base = baseOf(pid);
  mkdirSync(base, { recursive: true });
  stat(pid, 1000);
  symlinkSync(exe, join(base, 'exe'));
  symlinkSync('/srv', join(base, 'cwd'));
  if (hanging) execFileSync('mkfifo', [join(base, 'cmdline')]);
  else writeFileSync(join(base, 'cmdline'), words(argv));
  writeFileSync(join(base, 'environ'), words(environ));
  return seen(pid);
};
const seen = (pid: number): SeenImage => ({
  base: baseOf(pid),
  image: readImage(baseOf(pid)) ?? '',
});
const container = (name: string, images: readonly SeenImage[], life = '1'): ContainerImages => ({
  ...{ name, life, images },
});
const script = (path: string, own: string[] = []) => ({
  ...{ interpreter: 'python', program: { kind: 'script', path }, cwd: '/srv', own },
});

/** Limits that are watched now; none ends by itself. */
const handWatch = () => {
  const watched = new Set<() => void>();
  let onCancelled = (): void => undefined;
  const cancelled = new Promise<void>((resolve) => {
    onCancelled = resolve;
  });
  return {
    after: (_: number, expire: () => void) => {
      watched.add(expire);
      return () => {
        watched.delete(expire);
        onCancelled();
      };
    },
    /** One child has ended in time. */
    cancelled,
    expire: (): void => {
      for (const expire of watched) expire();
    },
  };
};

/** A child that answers for the processes before those of `hang`, and then hangs until `release`, however it is ended. */
const stuckChildren = (hang: (question: WordsQuestion) => boolean) => {
  const started: string[][] = [];
  const releases: (() => void)[] = [];
  const startChild: StartWordsChild = (questions, onWords) => {
    started.push(questions.map(({ base }) => base));
    for (const question of questions) {
      if (hang(question)) break;
      onWords({ cmdline: words(['python3', 'main.py']), environ: '' });
    }
    const ended = questions.some(hang)
      ? new Promise<string>((resolve) => {
          releases.push(() => {
            resolve('its reader ended with SIGKILL');
          });
        })
      : Promise.resolve('');
    return { ended, abandon: () => undefined };
  };
  return { started, releases, startChild };
};
/** The limit is over at once. */
const noPatience = (_: number, expire: () => void) => {
  const pending = setImmediate(expire);
  return () => {
    clearImmediate(pending);
  };
};

describe('what interpreters of containers run', () => {
  test('is read by a child, with the directories of its environment', async () => {
    const memory = containerProgramsMemory();
    const image = run(1, { environ: ['HOME=/', 'PYTHONPATH=lib:/opt'] });
    const other = run(2, { exe: '/usr/bin/php8.2', argv: ['php', 'x.php'] });
    const java = run(3, { exe: '/usr/lib/jvm/x/bin/java' });
    const inline = run(4, { argv: ['python3', '-c', 'pass'] });
    expect(memory.of('web', image)).toEqual({ reason: 'it was not read' });
    await memory.read([container('web', [image, other, java, inline])]);
    expect(memory.of('web', image)).toEqual(script('main.py', ['/srv/lib', '/opt']));
    expect(memory.of('web', other)).toMatchObject({ program: { kind: 'script', path: 'x.php' } });
    expect(memory.of('web', inline)).toBeNull();
  });

  test('is read once, until it is another program or another life of its container', async () => {
    const { started, startChild } = stuckChildren(() => false);
    const memory = containerProgramsMemory({ startChild });
    const image = run(1);
    await memory.read([container('web', [image])]);
    await memory.read([container('web', [image])]);
    expect(started).toHaveLength(1);
    stat(1, 2000);
    expect(memory.of('web', seen(1))).toEqual({ reason: 'it was not read' });
    await memory.read([container('web', [seen(1)])]);
    expect(started).toHaveLength(2);
    await memory.read([container('web', [seen(1)], '2')]);
    expect(started).toHaveLength(3);
    await memory.read([container('web', [])]);
    expect(memory.of('web', seen(1))).toEqual({ reason: 'it was not read' });
  });

  test('is not believed of a process that became another program while it was read', async () => {
    const startChild: StartWordsChild = (_, onWords) => {
      stat(1, 2000);
      onWords({ cmdline: words(['python3', 'before.py']), environ: '' });
      return { ended: Promise.resolve(''), abandon: () => undefined };
    };
    const memory = containerProgramsMemory({ startChild });
    const image = run(1);
    await memory.read([container('web', [image])]);
    expect(memory.of('web', image)).toEqual({ reason: 'it was not read' });
    expect(memory.of('web', seen(1))).toEqual({ reason: 'it was not read' });
  });

  test('costs nothing where there is no interpreter', async () => {
    const { started, startChild } = stuckChildren(() => false);
    const memory = containerProgramsMemory({ startChild });
    await memory.read([container('web', [run(1, { exe: '/usr/bin/nginx' })])]);
    expect(started).toEqual([]);
  });

  test('is read of so many at once, and the others the next time', async () => {
    const { started, startChild } = stuckChildren(() => false);
    const memory = containerProgramsMemory({ startChild });
    const images = Array.from({ length: 1_001 }, (_, at) => run(at + 1));
    await memory.read([container('web', images)]);
    expect(memory.of('web', images[1_000] ?? seen(0))).toEqual({ reason: 'more than 1000 to ask' });
    await memory.read([container('web', images)]);
    expect(started.map(({ length }) => length)).toEqual([1_000, 1]);
    expect(memory.of('web', images[1_000] ?? seen(0))).toEqual(script('main.py'));
  });

  test('is remembered to a bound', async () => {
    const environ = words([
      `PYTHONPATH=${Array.from({ length: 32 }, () => `/${'x'.repeat(4_000)}`).join(':')}`,
    ]);
    const startChild: StartWordsChild = (questions, onWords) => {
      questions.forEach(() => {
        onWords({ cmdline: words(['python3', 'main.py']), environ });
      });
      return { ended: Promise.resolve(''), abandon: () => undefined };
    };
    const memory = containerProgramsMemory({ startChild });
    const images = Array.from({ length: 20 }, (_, at) => run(at + 1));
    await memory.read([container('evil', images), container('good', [run(100)])]);
    const unknown = images.filter((one) => {
      const found = memory.of('evil', one);
      return found !== null && 'reason' in found && /^more than \d+ characters/.test(found.reason);
    });
    expect(unknown.length).toBeGreaterThan(10);
    expect(memory.of('good', seen(100))).toMatchObject({ program: { path: 'main.py' } });
  });
});

describe('a command line that gives no answer', () => {
  const goodAndEvil = (evil: readonly SeenImage[]): ContainerImages[] => [
    container('evil', evil),
    container('good', [run(100)]),
  ];

  test('counts for its own container alone, and there for itself and for what comes after', async () => {
    const watch = handWatch();
    let onHeard = (): void => undefined;
    const heard = new Promise<void>((resolve) => {
      onHeard = resolve;
    });
    const startChild: StartWordsChild = (questions, onWords) =>
      wordsChild()(questions, (one) => {
        onWords(one);
        if (questions.length > 1) onHeard();
      });
    const memory = containerProgramsMemory({ startChild, after: watch.after });
    const [first, hangs, last] = [run(1), run(2, { hanging: true }), run(3)];
    const read = memory.read(goodAndEvil([first, hangs, last]));
    await Promise.all([watch.cancelled, heard]);
    watch.expire();
    await read;
    expect(memory.of('good', seen(100))).toEqual(script('main.py'));
    expect(memory.of('evil', first)).toEqual(script('main.py'));
    expect(memory.of('evil', hangs)).toEqual({ reason: 'no answer' });
    expect(memory.of('evil', last)).toEqual({ reason: 'no answer' });
  });

  test('is known to hang for as long as its child does, which may not end', async () => {
    const { started, releases, startChild } = stuckChildren(({ base }) => base === baseOf(2));
    const memory = containerProgramsMemory({ startChild, after: noPatience });
    const containers = goodAndEvil([run(1), run(2)]);
    await memory.read(containers);
    expect(['evil', 'good'].map(memory.hangs)).toEqual([true, false]);
    // Nor in another life of its container, whose processes the earlier ones may have outlived.
    for (const life of ['1', '2']) await memory.read([container('evil', [seen(1), seen(2)], life)]);
    expect(started).toHaveLength(2);
    expect(memory.of('evil', seen(2))).toEqual({ reason: 'no answer' });
    releases[0]?.();
    await new Promise(setImmediate);
    expect(memory.hangs('evil')).toBe(false);
    await memory.read([container('evil', [seen(1), seen(2)], '2')]);
    expect(started).toHaveLength(3);
  });

  test('costs its container the time of three children, and then is asked again only after a while', async () => {
    let time = 0;
    const { started, releases, startChild } = stuckChildren(() => true);
    const memory = containerProgramsMemory({ startChild, after: noPatience, now: () => time });
    const evil = [container('evil', [run(1)])];
    const round = async (): Promise<void> => {
      await memory.read(evil);
      for (const release of releases) release();
      await new Promise(setImmediate);
    };
    for (let at = 0; at < 5; at += 1) await round();
    expect(started).toHaveLength(3);
    expect(memory.of('evil', seen(1))).toEqual({ reason: 'no answer' });
    time = 600_000;
    await round();
    expect(started).toHaveLength(4);
  });

  test('of many containers keeps those that answer waiting for a few scans at most', async () => {
    let time = 0;
    const { startChild } = stuckChildren(({ base }) => !base.endsWith('00'));
    const expire = (ms: number, then: () => void) => {
      const pending = setImmediate(() => {
        time += ms;
        then();
      });
      return () => {
        clearImmediate(pending);
      };
    };
    const memory = containerProgramsMemory({ startChild, after: expire, now: () => time });
    const evil = Array.from({ length: 40 }, (_, at) => container(`evil${at}`, [run(at + 1)]));
    await memory.read(evil);
    expect(memory.of('evil39', seen(40))).toEqual({
      reason: 'too many containers give no answer',
    });
    const all = [...evil, container('good', [run(100)])];
    for (let round = 0; round < 3; round += 1) await memory.read(all);
    expect(memory.of('good', seen(100))).toEqual(script('main.py'));
  });
});

describe('a child that reads command lines', () => {
  beforeEach(() => {
    run(1, { argv: ['python3', 'é\n"x"', ''], environ: ['A=1', 'B=\n'] });
    run(2, { argv: ['y'.repeat(1 << 17)] });
  });

  const ask = async (start: StartWordsChild): Promise<[string, (ProcessWords | null)[]]> => {
    const answers: (ProcessWords | null)[] = [];
    const questions = [
      { base: baseOf(1), environ: true },
      { base: baseOf(3), environ: true },
      { base: baseOf(2), environ: false },
    ];
    const problem = await start(questions, (one) => answers.push(one)).ended;
    return [problem, answers];
  };
  const answers = [
    { cmdline: 'python3\0é\n"x"\0\0', environ: 'A=1\0B=\n\0' },
    null,
    { cmdline: 'y'.repeat(1 << 16), environ: '' },
  ];
  const missing = { file: '/nowhere/perl', args: [] };

  test.each(READERS.map((reader) => [reader.file, reader] as const))(
    '%s reads their beginnings',
    async (_, reader) => {
      expect(await ask(wordsChild([reader]))).toEqual(['', answers]);
    },
  );

  test('is the first that is there', async () => {
    expect(await ask(wordsChild([missing, ...READERS]))).toEqual(['', answers]);
    expect(await ask(wordsChild([missing]))).toEqual(['install perl or python3', []]);
  });

  test('says how it ended where it did not do its work', async () => {
    const broken = { file: 'sh', args: ['-c', 'exit 3'] };
    expect(await ask(wordsChild([broken]))).toEqual(['its reader ended with 3', []]);
  });
});
