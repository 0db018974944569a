import { join } from 'node:path';
import process from 'node:process';
import type { AuditRow } from '../src/core/coordinator/api-rows.ts';
import type { WaveSummary } from '../src/core/coordinator/explain.ts';
import { auditLine } from '../src/cli/look.ts';
import { formatTable } from '../src/cli/print.ts';
import type { ContainerLine } from '../src/cli/views.ts';
import { askVersion } from '../test/bed/ask.ts';
import { cleanBed } from '../test/bed/clean.ts';
import { startLoad } from '../test/bed/load.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { createScene } from '../test/bed/scene.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waitUntil } from '../test/bed/wait-until.ts';
import { watchHaproxy } from '../test/bed/watch-availability.ts';
import { parseQuickstartOptions } from './options.ts';
import type { QuickstartOptions } from './options.ts';
import { showWave } from './show-wave.ts';

const directory = '/var/lib/groundswell-bed/quickstart';
const hostNumber = 1;
const fixed = '1.0-1+deb12u1';
const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const needsRoot = (): string | null => {
  if (process.platform !== 'linux')
    return `The quickstart builds real LXC hosts, so it needs Linux; this is ${process.platform}.`;
  if (process.getuid?.() !== 0)
    return 'The quickstart builds a real host with LXC containers, mounts and network links, so it needs root:\n  sudo npm run quickstart\nWithout root you can still run: npx groundswell --help';
  return null;
};

const story = async (scene: Scene, options: QuickstartOptions): Promise<void> => {
  const all = [...scene.containers.values()].flat();
  const targets = Object.fromEntries(
    [...scene.containers.keys()].map((service) => [service, scene.haproxy.frontend(service)]),
  );
  write(
    `\n${all.length} containers in ${scene.containers.size} services answer behind HAProxy, with library ${(await askVersion(all[0] ?? { address: '', port: 0 })).library}. Steady load begins.`,
  );
  const load = startLoad({ targets });
  const watch = watchHaproxy(scene.haproxy);

  write(
    `\nThe distribution publishes libgs-demo1 ${fixed} in its security suite. Groundswell upgrades the host:`,
  );
  write('  $ groundswell upgrade h1 libgs-demo1');
  await scene.bed.publish({ 'libgs-demo1': fixed });
  const began = performance.now();
  const { id: waveId } = await scene.act({
    action: 'upgrade',
    hosts: [scene.host.name],
    mode: 'packages',
    packages: [{ name: 'libgs-demo1', want: 'newest', version: null }],
    allowRemove: false,
  });
  if (waveId === null) throw new Error('the upgrade opened no wave');
  await waitUntil(
    'the host is upgraded',
    async () => {
      const wave = (await scene.get(`/v1/waves/${waveId}`)) as WaveSummary;
      const upgrade = wave.upgrades[0];
      if (upgrade?.state === 'failed') throw new Error(`the upgrade failed: ${upgrade.reason}`);
      return wave.total > 0 || wave.endedAt !== null;
    },
    { deadlineMs: 120_000, everyMs: 20 },
  );
  const stale = ((await scene.get('/v1/containers')) as ContainerLine[]).filter(
    (container) => container.stale.length > 0,
  );
  const before = stale
    .slice(0, 3)
    .map(({ container, stale: why }) => `    ${container}: ${why[0] ?? ''}`);
  write(`\n${stale.length} containers still run the old library:`);
  for (const line of before) write(line);
  if (stale.length > before.length) write(`    … and ${stale.length - before.length} more`);
  write('\nThe wave:');
  const wave = await showWave(scene, waveId, write);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const availability = await watch.stop();
  const report = await load.stop();
  const answers = await Promise.all(all.map((container) => askVersion(container)));
  const patched = answers.filter(({ library }) => library === fixed).length;
  const services = [...scene.containers].map(([service, members]) => {
    const seen = report[service] ?? { ok: 0, failed: 0 };
    return [
      service,
      String(members.length),
      String(members.length - 2),
      String(availability.lowest[service] ?? members.length),
      String(seen.ok),
      String(seen.failed),
    ];
  });
  write(
    `\nSummary: ${wave.counts['verified'] ?? 0} containers restarted and verified, ${patched} of ${all.length} answer with ${fixed}, in ${seconds} s.`,
  );
  write(
    formatTable(['service', 'containers', 'floor', 'lowest seen', 'requests', 'failed'], services),
  );
  const rows = (await scene.get('/v1/audit?limit=6')) as AuditRow[];
  write('\nThe last lines of the audit trail (groundswell audit list):');
  write(
    formatTable(
      ['at', 'record', 'actor', 'action', 'subject', 'outcome', 'why'],
      rows.map(auditLine),
    ),
  );

  write('\nThe same upgrade once more:');
  const { id: again } = await scene.act({
    action: 'upgrade',
    hosts: [scene.host.name],
    mode: 'packages',
    packages: [{ name: 'libgs-demo1', want: 'newest', version: null }],
    allowRemove: false,
  });
  const second = await waitUntil(
    'the second wave is over',
    async () => {
      const found = (await scene.get(`/v1/waves/${again ?? ''}`)) as WaveSummary;
      return found.endedAt === null ? null : found;
    },
    { deadlineMs: 60_000, everyMs: 20 },
  );
  write(`  nothing to do: ${second.total} containers to restart.`);
  const failed = Object.values(report).reduce((sum, { failed: count }) => sum + count, 0);
  if (patched !== all.length || failed > 0 || wave.endedAt === null)
    throw new Error(
      `not as promised: ${patched} of ${all.length} patched, ${failed} failed requests, wave ${wave.state}${wave.pausedBy === null ? '' : ` (${wave.pausedBy})`}`,
    );
  if (options.keep) tellHowToExplore(scene);
};

const tellHowToExplore = (scene: Scene): void => {
  const inHost = `lxc-attach -P ${directory}/lxc -n ${scene.host.lxcName} --clear-env -v PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin -- node /opt/groundswell/bin/groundswell.js`;
  write('\nEverything stays up until Ctrl-C. In another terminal:');
  write(`  gs() { ${inHost} "$@"; }`);
  for (const command of [
    'status',
    'containers',
    'services',
    'waves',
    'scan',
    'audit list',
    'restart web',
    'why h1/web-01',
    'pause --reason "a look around"',
    'resume',
  ])
    write(`  gs ${command}`);
};

const main = async (): Promise<number> => {
  const missing = needsRoot();
  if (missing !== null) {
    write(missing);
    return 1;
  }
  const options = parseQuickstartOptions(process.argv.slice(2));
  const cleanUp = async (): Promise<void> => {
    await cleanBed(directory, [hostNumber]);
  };
  const off = onInterrupt(cleanUp, write);
  const began = performance.now();
  try {
    write(
      'Building one host with its own root, apt and LXC (the first run takes a few minutes, the next seconds) ...',
    );
    const demo = {
      count: options.containersPerService,
      arguments:
        options.startDelayMs === 0 ? [] : ['--start-delay-ms', String(options.startDelayMs)],
    };
    const scene = await createScene({
      directory,
      hostNumber,
      projectDirectory: join(import.meta.dirname, '../..'),
      services: { web: demo, api: demo },
      report: (line) => {
        write(`  ${line}`);
      },
    });
    await story(scene, options);
    write(`\nDone in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
    if (options.keep) await new Promise(() => setInterval(() => undefined, 60_000));
    return 0;
  } catch (error) {
    write(`\nThe quickstart failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    write('Cleaning up ...');
    await cleanUp();
    off();
  }
};

process.exitCode = await main();
