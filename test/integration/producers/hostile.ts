import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export interface HostileOrder {
  /** The parser, as its targets call it. */
  of: string;
  /** One of its documents; null: all of them. */
  document: string | null;
  /** How many of each. */
  each: number;
  seed: number;
  /** fast-check's way to one of them; null: all. */
  path: string | null;
  /** Where the document is kept that is being read. */
  copy: string;
  mostMb: number;
}

export type HostileWord =
  | { kind: 'begins'; document: string }
  | { kind: 'reads'; run: number }
  | { kind: 'failed'; path: string | null; reason: string }
  | { kind: 'done'; peakMb: number };

interface HostileOutcome {
  /** What went wrong, with which document, and how to have it again; null: nothing. */
  failure: string | null;
  documents: number;
  /** The most memory that the process ever had. */
  peakMb: number | null;
}

const CHILD = 'test/integration/producers/hostile.child.ts';
/** Its own program and the tests' in it make a third of that. */
const MOST_MB = 400;
const MOST_HEAP_MB = 256;
/** Loading the program, on a machine that is busy. */
const LOADED_IN_MS = 120_000;

/**
 * Has changed documents of one parser read by a process of its own. One that says nothing for `quietMs`, or grows beyond its
 * bound, is ended; the document that it read then is kept.
 */
export const readHostile = async (
  asked: Pick<HostileOrder, 'of' | 'each' | 'seed'>,
  quietMs = 60_000,
): Promise<HostileOutcome> => {
  const directory = mkdtempSync(join(tmpdir(), 'gs-hostile-'));
  const order: HostileOrder = {
    ...{ ...asked, document: null, path: null },
    ...{ copy: join(directory, 'document'), mostMb: MOST_MB },
  };
  const child = fork(CHILD, [JSON.stringify(order)], {
    execArgv: ['--import', 'tsx', `--max-old-space-size=${MOST_HEAP_MB}`],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const seen = { document: 'nothing', run: 0, documents: 0, peakMb: null as number | null };
  const failed = { reason: null as string | null, path: null as string | null };
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-2_000)));
  const end = (reason: string): void => {
    failed.reason ??= reason;
    child.kill('SIGKILL');
  };
  let quiet = setTimeout(() => end('it did not begin'), LOADED_IN_MS);
  child.on('message', (raw) => {
    const word = raw as HostileWord;
    clearTimeout(quiet);
    quiet = setTimeout(() => end(`it hangs: nothing for ${quietMs / 1_000} s`), quietMs);
    if (word.kind === 'begins') Object.assign(seen, { document: word.document, run: 0 });
    else if (word.kind === 'reads')
      Object.assign(seen, { run: word.run, documents: seen.documents + 1 });
    else if (word.kind === 'done') seen.peakMb = word.peakMb;
    else {
      failed.path = word.path;
      end(word.reason);
    }
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  );
  clearTimeout(quiet);
  const { document, run, documents, peakMb } = seen;
  if (failed.reason === null && peakMb !== null) {
    rmSync(directory, { recursive: true });
    return { failure: null, documents, peakMb };
  }
  const reason = failed.reason ?? `it ended (${String(signal ?? code)})\n${said}`;
  const again = JSON.stringify({ ...order, document, path: failed.path });
  const failure = [
    `${asked.of}, ${document}, seed ${asked.seed}: ${reason}`,
    `the document, number ${run}, is in ${order.copy}; to read it again:`,
    `node --import tsx ${CHILD} '${again}'`,
  ].join('\n');
  return { failure, documents, peakMb };
};
