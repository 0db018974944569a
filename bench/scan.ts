import { formatTable } from '../src/cli/print.ts';
import { createBed } from '../test/bed/bed.ts';
import { groundswell } from '../test/bed/scene.ts';
import { median, ratio, spread } from './figures.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';
import type { ScanWarm } from './scan-warm.ts';

const count = 200;
const rounds = 20;

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const bed = await createBed({
    ...{ directory, hostNumbers: [hostNumber], projectDirectory: projectDirectory() },
  });
  const host = await bed.createHost({ number: hostNumber });
  await bed.createContainers(host, { service: 'web', count });
  // A stale process of the host itself, for needrestart to find as well.
  await host.spawn(['/usr/bin/gs-demo-web', '9000']);
  await bed.publish({ 'libgs-demo1': '1.0-1+deb12u1' });
  await host.must(['apt-get', '-q', 'update']);
  await host.must(['apt-get', '-qy', '--only-upgrade', 'install', 'libgs-demo1']);
  const processes = (await host.must(['sh', '-c', 'ls -d /proc/[0-9]* | wc -l'])).trim();
  const output = await host.must(
    [
      ...['node', '--import', 'file:///opt/groundswell/node_modules/tsx/dist/esm/index.mjs'],
      ...['/opt/groundswell/bench/scan-warm.ts', String(rounds), ...groundswell, 'scan'],
    ],
    { timeoutMs: 300_000 },
  );
  const warm = JSON.parse(output) as ScanWarm;
  write(`${count} containers, ${processes} processes in the host; ${rounds} rounds, in turns.`);
  const row = (what: string, values: number[]): string[] => [
    what,
    ...spread(values),
    ratio(median(values), median(warm.needrestartMs)),
  ];
  write(
    formatTable(
      ['look at the host (ms)', 'median', 'p95', 'of needrestart'],
      [
        row('needrestart -b', warm.needrestartMs),
        row('list and scan, warm, in a running process', warm.scanMs),
        row('list and scan, the first one of a process', [warm.firstMs]),
        row('groundswell scan, whole command', warm.commandMs),
      ],
    ),
  );
  write(`groundswell found: ${JSON.stringify(warm.found)}`);
  write(`needrestart found:\n${warm.needrestart}`);
};

await runBench('scan', [152], body);
