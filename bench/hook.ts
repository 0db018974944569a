import { z } from 'zod';
import { formatTable } from '../src/cli/print.ts';
import { createBed } from '../test/bed/bed.ts';
import { digits, median, medianInterval, quantile, ratio, spread } from './figures.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';

const rounds = 60;
const variants = ['none', 'true', 'groundswell'] as const;
type Variant = (typeof variants)[number];

/**
 * Installs a package again and again in bash(1): each round once with every variant of hooks, in an
 * order that moves on from round to round. Prints a line `VARIANT MICROSECONDS` per run.
 */
const script = `set -eu
rounds=$1; shift
mkdir -p /usr/lib/groundswell /etc/dpkg/dpkg.cfg.d
mkdir -p -m 700 /var/spool/groundswell
cp /opt/groundswell/packaging/hooks/groundswell-hook /usr/lib/groundswell/
chmod 755 /usr/lib/groundswell/groundswell-hook
rm -f /etc/apt/apt.conf.d/*needrestart*
apt=/etc/apt/apt.conf.d/50groundswell dpkg=/etc/dpkg/dpkg.cfg.d/groundswell
hooks() {
  rm -f "$apt" "$dpkg" /var/spool/groundswell/*
  case $1 in
    true)
      echo 'DPkg::Pre-Install-Pkgs { "cat >/dev/null; true"; }; DPkg::Post-Invoke { "true"; };' >"$apt"
      echo 'post-invoke="true"' >"$dpkg" ;;
    groundswell)
      cp /opt/groundswell/packaging/hooks/50groundswell.apt.conf "$apt"
      cp /opt/groundswell/packaging/hooks/groundswell.dpkg.cfg "$dpkg" ;;
  esac
}
run() {
  hooks "$1"
  local begin=\${EPOCHREALTIME/./}
  apt-get -qq -y --reinstall install gs-demo-data >/dev/null
  echo "$1 $((\${EPOCHREALTIME/./} - begin))"
}
for ((round = 0; round < rounds; round++)); do
  for one; do run "$one"; done
  first=$1; shift; set -- "$@" "$first"
done`;

const Line = z.tuple([z.enum(variants), z.coerce.number()]);

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const bed = await createBed({
    ...{ directory, hostNumbers: [hostNumber], projectDirectory: projectDirectory() },
  });
  const host = await bed.createHost({ number: hostNumber });
  const output = await host.must(['bash', '-c', script, 'hook', String(rounds), ...variants], {
    timeoutMs: 900_000,
  });
  const ms: Record<Variant, number[]> = { none: [], true: [], groundswell: [] };
  for (const line of output.split('\n').filter((text) => text !== '')) {
    const [variant, microseconds] = Line.parse(line.split(' '));
    ms[variant].push(microseconds / 1000);
  }
  write(`apt-get --reinstall install of a small package, ${rounds} times with each, in turns.`);
  write(
    formatTable(
      ['hooks (ms per apt run)', 'median', 'p95', 'of true'],
      variants.map((variant) => [
        variant,
        ...spread(ms[variant]),
        ratio(median(ms[variant]), median(ms.true)),
      ]),
    ),
  );
  const pairs = (a: Variant, b: Variant): number[] =>
    ms[a].map((value, index) => value - (ms[b][index] ?? Number.NaN));
  const row = (what: string, differences: number[]): string[] => [
    what,
    digits(median(differences)),
    medianInterval(differences)
      .map((value) => digits(value))
      .join(' to '),
    [0.25, 0.75].map((share) => digits(quantile(differences, share))).join(' to '),
  ];
  write(
    formatTable(
      ['difference within a round (ms)', 'median', '95 % interval of it', 'quartiles'],
      [
        row('groundswell - true', pairs('groundswell', 'true')),
        row('true - none', pairs('true', 'none')),
      ],
    ),
  );
};

await runBench('hook', [154], body);
