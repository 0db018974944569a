import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/**
 * Asks the kernel for each path of a line whether another process has a lock on it that shares it with none (F_GETLK,
 * fcntl(2)), which takes none itself: rpm and dnf 5 share theirs with others that only look. Answers `free` or the holder's pid. The layout is that of struct flock on 64-bit machines.
 */
const SCRIPT = `
use strict; use warnings; use Fcntl;
$| = 1;
my $flock = 's s x4 q q i x4';
while (my $line = <STDIN>) {
  chomp $line;
  my @answers;
  for my $path (split /\\t/, $line) {
    if (!open(my $file, '<', $path)) { push @answers, $! == 2 ? 'free' : 'error'; next }
    else {
      my $lock = pack($flock, F_RDLCK, 0, 0, 0, 0);
      if (!fcntl($file, F_GETLK, $lock)) { push @answers, 'error'; next }
      my ($type, undef, undef, undef, $pid) = unpack($flock, $lock);
      push @answers, $type == F_UNLCK ? 'free' : $pid;
    }
  }
  print join("\\t", @answers), "\\n";
}`;

/** Where F_GETLK is asked with the layout above. */
const ARCHITECTURES = ['x64', 'arm64', 'ppc64', 's390x', 'riscv64', 'loong64'];

/** An answer takes a tenth of a millisecond; one that does not come is not waited for. */
const ANSWER_TIMEOUT_MS = 500;

/** Kept for so long after a question: a wave's restarts follow closer than that, all else asks more rarely. */
const KEEP_MS = 3_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Null: it was not answered. */
type Answer = readonly (number | null)[] | null;

export interface LockAsker {
  /**
   * The pid that holds a lock on each of `paths`, null where none does, -1 for one without a process. Answers
   * null where it could not be asked: the next time it perhaps can.
   */
  ask: (paths: readonly string[]) => Promise<Answer>;
  /** End the process behind it; it comes back at the next question. */
  rest: () => void;
}

const parseAnswer = (line: string, count: number): Answer => {
  const words = line.split('\t');
  if (words.length !== count || !words.every((word) => /^(?:free|-?\d+)$/.test(word))) return null;
  return words.map((word) => (word === 'free' ? null : Number(word)));
};

/** Not execa, as for the spare processes of LXC: it must not keep this process from ending. */
const begin = (program: string): Child | null => {
  let child: Child;
  try {
    child = spawn(program, ['-e', SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
  } catch {
    // Some errors (ENOMEM) are thrown, others are told by the child.
    return null;
  }
  child.on('error', () => undefined);
  child.unref();
  if (child.pid !== undefined) {
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8');
    for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
  }
  return child;
};

/**
 * Who holds a lock, asked of a small perl(1), which every Debian has (perl-base is essential): Node.js has no
 * fcntl(2), and to read /proc/locks costs 8 to 20 ms, for the kernel first waits until no processor is
 * within a change of a lock. What comes of it may differ in the pid alone: 0 where the holder is in another
 * pid namespace.
 */
export const createLockAsker = (program = '/usr/bin/perl'): LockAsker => {
  let child: Child | null = null;
  let waiting: { count: number; resolve: (answer: Answer) => void }[] = [];
  let text = '';
  let idle: NodeJS.Timeout | undefined;

  const rest = (): void => {
    clearTimeout(idle);
    // Without one kill() signals what Node.js has in its place, which is mostly 0: our own process group.
    if (child?.pid !== undefined) child.kill('SIGKILL');
    child = null;
    text = '';
    const unanswered = waiting;
    waiting = [];
    for (const { resolve } of unanswered) resolve(null);
  };

  const running = (): Child | null => {
    if (child !== null) return child;
    const fresh = begin(program);
    child = fresh;
    if (fresh === null) return null;
    const over = (): void => {
      if (child === fresh) rest();
    };
    fresh.on('error', over).on('exit', over);
    if (fresh.pid === undefined) return fresh;
    fresh.stdout.on('data', (part: string) => {
      if (child !== fresh) return;
      const lines = (text + part).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const first = waiting.shift();
        const answer = first === undefined ? null : parseAnswer(line, first.count);
        first?.resolve(answer);
        // Whatever it says from now on may answer another question.
        if (answer === null) return rest();
      }
    });
    return fresh;
  };

  return {
    ask: async (paths) => {
      if (!ARCHITECTURES.includes(process.arch) || paths.some((path) => /[\t\n]/.test(path)))
        return null;
      const { stdin, pid } = running() ?? {};
      if (stdin === undefined || pid === undefined) {
        rest();
        return null;
      }
      const answered = new Promise<Answer>((resolve) => {
        waiting.push({ count: paths.length, resolve });
      });
      stdin.write(`${paths.join('\t')}\n`);
      const limit = setTimeout(rest, ANSWER_TIMEOUT_MS);
      const answer = await answered;
      clearTimeout(limit);
      clearTimeout(idle);
      idle = setTimeout(rest, KEEP_MS).unref();
      return answer;
    },
    rest,
  };
};
