import { execa } from 'execa';
import { createLxcRuntime } from '../src/host/lxc/lxc-runtime.ts';
import { layersOf } from '../src/host/proc/layers-of.ts';
import { scanHost } from '../src/host/proc/scan-host.ts';
import type { HostScan } from '../src/host/proc/scan-host.ts';
import { createScanMemory } from '../src/host/proc/scan-surroundings.ts';

/** What `bench/scan.ts` reads from this program, as JSON. Times in ms. */
export interface ScanWarm {
  firstMs: number;
  scanMs: number[];
  needrestartMs: number[];
  commandMs: number[];
  found: {
    containers: number;
    processes: number;
    staleContainers: number;
    staleProcesses: number;
    shadowed: number;
    unreadable: number;
    hostProcesses: string[];
  };
  needrestart: string;
}

const timed = async <T>(work: () => T | Promise<T>): Promise<{ ms: number; answer: T }> => {
  const begin = performance.now();
  const answer = await work();
  return { ms: performance.now() - begin, answer };
};

const sum = (scan: HostScan, of: (one: HostScan['containers'][number]) => number): number =>
  scan.containers.reduce((total, one) => total + of(one), 0);

// Runs in a host of the bed: ROUNDS, then the command whose whole run is timed.
const [rounds = '1', ...command] = process.argv.slice(2);
const [file = 'true', ...args] = command;
const runtime = createLxcRuntime();
const memory = createScanMemory();
const look = async (): Promise<HostScan> =>
  scanHost({ containers: layersOf(await runtime.list()), memory });

const first = await timed(look);
const result: Pick<ScanWarm, 'scanMs' | 'needrestartMs' | 'commandMs'> = {
  scanMs: [],
  needrestartMs: [],
  commandMs: [],
};
let scan = first.answer;
let needrestart = '';
for (let round = 0; round < Number(rounds); round++) {
  const own = await timed(look);
  const other = await timed(() => execa('needrestart', ['-b', '-r', 'l'], { reject: false }));
  const whole = await timed(() => execa(file, args, { reject: false }));
  result.scanMs.push(own.ms);
  result.needrestartMs.push(other.ms);
  result.commandMs.push(whole.ms);
  scan = own.answer;
  needrestart = other.answer.stdout;
}
const printed: ScanWarm = {
  ...result,
  firstMs: first.ms,
  found: {
    containers: scan.containers.length,
    processes: sum(scan, ({ processes }) => processes),
    staleContainers: scan.containers.filter(({ stale }) => stale.length > 0).length,
    staleProcesses: sum(scan, ({ stale }) => new Set(stale.map(({ pid }) => pid)).size),
    shadowed: sum(scan, ({ shadowed }) => shadowed.length),
    unreadable: sum(scan, ({ unreadable }) => unreadable.length) + scan.unreadable.length,
    hostProcesses: scan.host.map(({ command: name, paths }) => `${name} (${paths.join(', ')})`),
  },
  needrestart,
};
console.log(JSON.stringify(printed));
