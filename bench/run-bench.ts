import { loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { cleanBed } from '../test/bed/clean.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';

/** Where beds of benchmarks lie; each is called `bench-<name>`. */
const bedsDirectory = '/var/lib/groundswell-bed';

export interface BenchPlace {
  directory: string;
  hostNumber: number;
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
 * Runs one benchmark on a bed of its own under `bench-<name>` with one host number, and takes all of
 * it away again, also after an error or Ctrl-C. Sets the exit code 1 when it fails.
 */
export const runBench = async (
  name: string,
  hostNumber: number,
  body: (place: BenchPlace) => Promise<void>,
): Promise<void> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    write(`bench/${name} builds a real host with LXC containers: run it as root on Linux.`);
    process.exitCode = 1;
    return;
  }
  const directory = join(bedsDirectory, `bench-${name}`);
  const cleanUp = (): Promise<void> => cleanBed(directory, [hostNumber]);
  const off = onInterrupt(cleanUp, write);
  const before = load();
  try {
    await body({ directory, hostNumber, write });
    write(`\nLoad of the machine: ${before} before, ${load()} after. Compare ratios, not times.`);
  } catch (error) {
    write(`bench/${name} failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    process.exitCode = 1;
  } finally {
    await cleanUp();
    off();
  }
};
