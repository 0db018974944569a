import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { plainEnvironment } from '../run-bounded.ts';
import { reasonOf } from './error-code.ts';
import { MAX_ARGV_BYTES, MAX_ENVIRON_BYTES } from './read-program.ts';
import type { ProcessWords } from './read-program.ts';

/** A process whose words are asked for. */
export interface WordsQuestion {
  /** Its directory in procfs. */
  base: string;
  /** Whether its environment is wanted, too. */
  environ: boolean;
}

/** A child that reads the words of processes, one after another. */
export interface WordsChild {
  /** Resolves when it is gone, with what kept it from its work; '' where nothing did. */
  ended: Promise<string>;
  /** Nothing more is heard of it, and it ends as soon as it can: not while what it reads does not answer. */
  abandon: () => void;
}

/** Starts one; what it reads is told in the order of the questions, null where it could not be opened. */
export type StartWordsChild = (
  questions: readonly WordsQuestion[],
  onWords: (words: ProcessWords | null) => void,
) => WordsChild;

// Both take `c DIRECTORY` or `e DIRECTORY` (with the environment) from their arguments, and answer a line for
// each, as soon as it is read: two hexadecimal texts, or `-` where the first could not be opened.
const PERL = `
use strict; $| = 1;
sub beginning { my ($path, $most) = @_; my $text = ''; open(my $in, '<:raw', $path) or return undef;
  while (length($text) < $most) { my $got = sysread($in, $text, $most - length($text), length($text)); last unless $got; }
  return unpack('H*', $text); }
while (@ARGV) { my $kind = shift @ARGV; my $base = shift @ARGV;
  my $argv = beginning("$base/cmdline", ${MAX_ARGV_BYTES}); if (!defined $argv) { print "-\\n"; next; }
  my $environ = $kind eq 'e' ? beginning("$base/environ", ${MAX_ENVIRON_BYTES}) : '';
  print $argv, ' ', $environ // '', "\\n"; }`;
const PYTHON = `
import sys
def beginning(path, most):
    text = b''
    try:
        with open(path, 'rb', buffering=0) as opened:
            while len(text) < most:
                more = opened.read(most - len(text))
                if not more: break
                text += more
    except OSError:
        if text == b'': return None
    return text.hex()
words = sys.argv[1:]
for kind, base in zip(words[::2], words[1::2]):
    argv = beginning(base + '/cmdline', ${MAX_ARGV_BYTES})
    environ = beginning(base + '/environ', ${MAX_ENVIRON_BYTES}) if kind == 'e' and argv is not None else ''
    print('-' if argv is None else argv + ' ' + (environ or ''), flush=True)`;

/** A program that reads them, and what comes before the questions. */
export interface WordsReader {
  file: string;
  args: readonly string[];
}

/** The first that is there is enough, as with extended attributes (`overlay-xattrs.ts`). */
export const READERS: readonly WordsReader[] = [
  { file: 'perl', args: ['-e', PERL, '--'] },
  { file: 'python3', args: ['-I', '-S', '-c', PYTHON] },
];
const NO_READER = 'install perl or python3';

const textOf = (hex: string): string => Buffer.from(hex, 'hex').toString('utf8');

const decode = (line: string): ProcessWords | null => {
  if (line === '-') return null;
  const [cmdline = '', environ = ''] = line.split(' ');
  return { cmdline: textOf(cmdline), environ: textOf(environ) };
};

const spawnReader = (file: string, args: readonly string[]): ChildProcess =>
  spawn(file, args, {
    ...{ cwd: '/', env: { ...plainEnvironment } },
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/**
 * A process, not a thread: what it reads lies in the memory of processes of containers, and who waits for that
 * in the kernel cannot be ended. It holds nothing of ours that anybody else needs.
 */
export const wordsChild =
  (readers: readonly WordsReader[] = READERS): StartWordsChild =>
  (questions, onWords) => {
    const asked = questions.flatMap(({ base, environ }) => [environ ? 'e' : 'c', base]);
    let child: ChildProcess | null = null;
    let abandoned = false;
    const listen = ({ stdout }: ChildProcess): void => {
      let rest = '';
      stdout?.setEncoding('latin1').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (!abandoned) for (const line of lines) onWords(decode(line));
      });
    };
    const run = (at: number, end: (problem: string) => void): void => {
      const reader = readers[at];
      if (reader === undefined) {
        end(NO_READER);
        return;
      }
      try {
        child = spawnReader(reader.file, [...reader.args, ...asked]);
      } catch (error) {
        end(reasonOf(error));
        return;
      }
      const started = child;
      listen(started);
      started.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') run(at + 1, end);
        else end(reasonOf(error));
      });
      started.once('close', (code, signal) => {
        // One that could not be started has said so.
        if (started.pid !== undefined)
          end(code === 0 ? '' : `its reader ended with ${signal ?? code ?? 'no code'}`);
      });
    };
    const ended = new Promise<string>((resolve) => {
      run(0, resolve);
    });
    return {
      ended,
      abandon: () => {
        abandoned = true;
        child?.kill('SIGKILL');
        child?.stdout?.destroy();
        child?.unref();
      },
    };
  };
