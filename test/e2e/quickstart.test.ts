import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireMirror } from '../../quickstart/real-host.ts';
import { readDistribution } from '../bed/apt-sources.ts';
import { DEFAULT_CACHE_DIRECTORY } from '../bed/bed.ts';
import { findLeftovers } from '../bed/clean.ts';
import { markedProcesses } from '../bed/processes.ts';
import { BUILD_SUFFIX, rootTarPath } from '../bed/root-cache.ts';
import { waitUntil } from '../bed/wait-until.ts';

/** Each may be the first, which builds its host, on a busy machine. */
const LIMIT_MS = 800_000;

const directory = '/var/lib/groundswell-bed/quickstart';

const foundLeft = async (): Promise<string[]> => [
  ...(existsSync(directory) ? ['its directory'] : []),
  ...(await findLeftovers(directory, [1])),
];

/**
 * What the quickstart leaves on the machine must be nothing. A host that another test begins at that moment holds the
 * machine's mounts for as long as it needs to let go of them, and their loop devices with them.
 */
const leftovers = async (): Promise<string[]> => {
  let found = await foundLeft();
  for (let looks = 0; found.length > 0 && looks < 60; looks++) {
    await sleep(500);
    found = await foundLeft();
  }
  return found;
};

const run = (command: readonly string[]) => {
  const [file = '', ...args] = command;
  const running = execa(file, args, { all: true, reject: false, stdin: 'ignore', detached: true });
  let text = '';
  running.all.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return {
    running,
    /** All that it has said, once these words are in it; fails with its words if it ends before. */
    said: async (words: string): Promise<string> => {
      const heard = new Promise<null>((resolve) => {
        const look = (): void => {
          if (text.includes(words)) resolve(null);
        };
        running.all.on('data', look);
        look();
      });
      const early = await Promise.race([heard, running]);
      expect(early?.all).toBeUndefined();
      return text;
    },
    /** Ctrl-C: a terminal sends it to every process of the job. */
    interrupt: (): void => {
      if (running.pid !== undefined) process.kill(-running.pid, 'SIGINT');
    },
  };
};

const npmRun = ['npm', 'run', '--silent', 'quickstart'];
const small = ['--', '--containers', '3'];

const quickstart = (...more: string[]) => run([...npmRun, ...small, ...more]).running;

describe('npm run quickstart', () => {
  test(
    'tells the whole story, and leaves nothing',
    async () => {
      const { all, exitCode } = await run(npmRun).running;
      expect(exitCode === 0 ? '' : all).toBe('');
      for (const text of [
        '20 containers in 2 services (web, api) answer behind HAProxy',
        'groundswell upgrade h1 libgs-demo1',
        '20 containers still run the old library',
        '20 ran the old library, 20 were restarted and verified, 20 of 20 answer with',
        'nothing to do, no container was restarted.',
      ])
        expect(all).toContain(text);
      expect(all).toMatch(/^ {2}web: (\d+ \(web-\d\d\),? ?){10}$/m);
      // Containers, floor, fewest up, fewest answering, requests, failed.
      expect(all).toMatch(/^web +10 +8 +([89]|10) +([89]|10) +\d{2,} +0$/m);
      expect(all).toMatch(/wave-finished .*finished: 20 verified/);
      // Node.js has nothing to complain of in between.
      expect(all).not.toContain('Warning');
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    '--dnf tells it of a dnf host',
    async () => {
      const { all, exitCode } = await quickstart('--dnf');
      expect(exitCode === 0 ? '' : all).toBe('');
      for (const text of [
        'publishes libgs-demo1 1.0-2.el9 with advisory GSSA-2026:1001',
        '6 ran the old library, 6 were restarted and verified, 6 of 6 answer with 1.0-2.el9',
        'nothing to do, no container was restarted.',
      ])
        // Lines of a sentence end where 80 columns do.
        expect(all.replace(/\s+/g, ' ')).toContain(text);
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    '--real takes the security updates that the mirror has, or says why it cannot',
    async () => {
      const distribution = await readDistribution();
      const reachable = await requireMirror(distribution).then(
        () => true,
        () => false,
      );
      const { all, exitCode } = await quickstart('--real');
      expect(await leftovers()).toEqual([]);
      if (!reachable) {
        process.stderr.write(`${distribution.security} is not reachable: only that was tested\n`);
        expect({ exitCode, all }).toMatchObject({ exitCode: 1 });
        expect(all).toContain('`apt-get update` works here');
        return;
      }
      expect(exitCode === 0 ? '' : all).toBe('');
      const count = Number(/ has (\d+) updates? for this host/.exec(all)?.[1] ?? 0);
      // Right after a point release there may be none.
      if (count === 0) {
        expect(all).toContain(`Nothing to do: ${distribution.codename}-security at`);
        return;
      }
      expect(all).toContain('$ groundswell upgrade h1\n');
      expect(all).toMatch(new RegExp(`^Upgraded, ${count} packages?, and no other:$`, 'm'));
      expect(all.replace(/\s+/g, ' ')).toMatch(
        /\(feed \S+-security@\S+, named by h1, has [1-9]\d* records; [1-9]\d* concerned this host\)/,
      );
      // What is pending may be nothing that a container runs.
      const stale = Number(/ (\d+) containers? still run old code/.exec(all)?.[1] ?? 0);
      if (stale === 0) expect(all).toContain('No container runs code of what was upgraded');
      expect(all).toContain(
        `${stale} ran old code, ${stale} were restarted and verified, 6 of 6 answer with`,
      );
      expect(all).toMatch(/^web +3 +1 +[1-3] +[1-3] +\d{2,} +0$/m);
      expect(all).toContain('nothing to do, no container was restarted.');
    },
    LIMIT_MS,
  );

  test(
    'Ctrl-C in the middle of its wave takes everything away',
    async () => {
      const { running, said, interrupt } = run([...npmRun, ...small]);
      await said('The wave.');
      interrupt();
      const { all, exitCode } = await running;
      expect(all).not.toContain('    at ');
      expect(exitCode).toBe(130);
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'Ctrl-C while the root for its host is built takes that away',
    async () => {
      const build = `${rootTarPath(DEFAULT_CACHE_DIRECTORY, await readDistribution())}${BUILD_SUFFIX}`;
      // On a machine that has none yet: the cache of this one is kept out of sight.
      const script = `
        mkdir -p ${DEFAULT_CACHE_DIRECTORY} && mount -t tmpfs none ${DEFAULT_CACHE_DIRECTORY} || exit 1
        trap : INT
        ${[...npmRun, ...small].join(' ')}
        status=$?
        ls ${DEFAULT_CACHE_DIRECTORY} | grep -v 'lock$' && exit 1
        grep ' ${DEFAULT_CACHE_DIRECTORY}/' /proc/mounts && exit 1
        exit $status`;
      const { running, said, interrupt } = run(['unshare', '-m', 'sh', '-c', script]);
      await said('(up to a minute, once)');
      await waitUntil(
        'the root is being built',
        async () => (await markedProcesses(build)).length > 0,
        { deadlineMs: LIMIT_MS },
      );
      interrupt();
      const { all, exitCode } = await running;
      expect(all).not.toContain('    at ');
      expect({ all, exitCode }).toMatchObject({ exitCode: 130 });
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    '--keep leaves it running with commands that work as they are shown; --slow lets a person watch; Ctrl-C ends it',
    async () => {
      const { running, said, interrupt } = run([...npmRun, ...small, '--keep', '--slow']);
      const text = await said('gs --help');
      const gs = /^ {2}gs\(\) \{$.*?^ {2}\}$/ms.exec(text)?.[0] ?? '';
      const shown = [...text.matchAll(/^ {2}(gs .*?) +# /gm)].map(([, command = '']) => command);
      expect(shown.length).toBeGreaterThan(5);
      for (const command of shown) {
        const { exitCode, all } = await execa('bash', ['-c', `${gs}\n${command}`], {
          ...{ all: true, reject: false, env: { TERM: 'dumb' } },
        });
        expect({ command, exitCode, all }).toMatchObject({ exitCode: 0 });
      }
      // Two at a time of three, each two seconds at least.
      expect(Number(/Summary after (\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(4);
      interrupt();
      expect((await running).exitCode).toBe(130);
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );
});
