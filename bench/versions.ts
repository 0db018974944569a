import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import { formatTable } from '../src/cli/print.ts';
import { compareDebVersions } from '../src/core/versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../src/core/versions/compare-rpm-versions.ts';
import { digits, median } from './figures.ts';
import { projectDirectory } from './project-directory.ts';

const rounds = 9;
const repeats = 250;

const pairsOf = (name: string): [string, string][] =>
  gunzipSync(readFileSync(join(projectDirectory(), 'test/fixtures/versions', name)))
    .toString()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .flatMap(([a, b]) => (a === undefined || b === undefined ? [] : [[a, b]]));

/** Millions of comparisons a second. */
const speedOf = (pairs: [string, string][], compare: (a: string, b: string) => number): number => {
  const begin = performance.now();
  for (let n = 0; n < repeats; n++) for (const [a, b] of pairs) compare(a, b);
  return (pairs.length * repeats) / (performance.now() - begin) / 1_000;
};

/** The same by rpm itself, within one process of it; null where it is not installed. */
const speedOfRpm = (pairs: [string, string][]): number | null => {
  const directory = mkdtempSync(join(tmpdir(), 'gs-bench-'));
  const path = join(directory, 'pairs');
  writeFileSync(path, pairs.map((pair) => `${pair.join(' ')}\n`).join(''));
  const script = `local all = {}
    for line in io.lines("${path}") do
      local a, b = line:match("^([^ ]+) ([^ ]+)$")
      all[#all + 1] = { a, b }
    end
    local begin = os.clock()
    for n = 1, 10 do for i = 1, #all do rpm.vercmp(all[i][1], all[i][2]) end end
    print(#all * 10 / (os.clock() - begin) / 1000000)`;
  try {
    return Number(execFileSync('rpm', ['--eval', `%{lua: ${script}}`], { encoding: 'utf8' }));
  } catch {
    return null;
  } finally {
    rmSync(directory, { recursive: true });
  }
};

const deb = pairsOf('deb-realworld.tsv.gz');
const rpm = pairsOf('rpm-evr-realworld.tsv.gz');
const measured = Array.from({ length: rounds }, () => ({
  deb: speedOf(deb, compareDebVersions),
  rpm: speedOf(rpm, compareRpmVersions),
  theirs: speedOfRpm(rpm),
}));
const theirs = measured.flatMap((one) => (one.theirs === null ? [] : [one.theirs]));
process.stdout.write(
  `${formatTable(
    ['millions of comparisons a second, one core', 'median', 'lowest'],
    [
      ['deb, 4016 pairs of the archives', measured.map((one) => one.deb)] as const,
      ['rpm, 3964 pairs of AlmaLinux', measured.map((one) => one.rpm)] as const,
      ['rpm itself (rpm.vercmp from Lua)', theirs] as const,
    ].map(([what, values]) => [
      what,
      values.length === 0 ? 'not installed' : digits(median(values), 2),
      values.length === 0 ? '' : digits(Math.min(...values), 2),
    ]),
  )}\nLoad of the machine: ${digits(loadavg()[0] ?? 0)}.\n`,
);
