import { loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { cleanBed } from '../test/bed/clean.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';

/** Where beds of benchmarks lie; each is called `bench-<name>`. */
const bedsDirectory = '/var/lib/groundswell-bed';

export interface BenchPlace {
  directory: string;
  /** The first of its host numbers. */
  hostNumber: number;
  hostNumbers: readonly number[];
  write: (line: string) => void;
}

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const load = (): string => {
  const [one = 0] = loadavg();
  return one.toFixed(1);
};

/**
 * Runs one benchmark on a bed of its own under `bench-<name>` with its own host numbers, and takes all of
 * it away again, also after an error or Ctrl-C. Sets the exit code 1 when it fails.
 */
export const runBench = async (
  name: string,
  hostNumbers: readonly [number, ...number[]],
  body: (place: BenchPlace) => Promise<void>,
): Promise<void> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    write(`bench/${name} builds a real host with LXC containers: run it as root on Linux.`);
    process.exitCode = 1;
    return;
  }
  const directory = join(bedsDirectory, `bench-${name}`);
  const cleanUp = (): Promise<void> => cleanBed(directory, hostNumbers);
  const off = onInterrupt(cleanUp, write);
  const before = load();
  try {
    await body({ directory, hostNumber: hostNumbers[0], hostNumbers, write });
    write(`\nLoad of the machine: ${before} before, ${load()} after. Compare ratios, not times.`);
  } catch (error) {
    write(`bench/${name} failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    process.exitCode = 1;
  } finally {
    await cleanUp();
    off();
  }
};
