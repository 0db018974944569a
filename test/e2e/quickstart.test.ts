import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { requireMirror } from '../../quickstart/real-host.ts';
import { readDistribution } from '../bed/apt-sources.ts';
import { findLeftovers } from '../bed/clean.ts';

/** Each may be the first, which builds its host, on a busy machine. */
const LIMIT_MS = 800_000;

const directory = '/var/lib/groundswell-bed/quickstart';

/** What the quickstart leaves on the machine must be nothing. */
const leftovers = async (): Promise<string[]> => [
  ...(existsSync(directory) ? ['its directory'] : []),
  ...(await findLeftovers(directory, [1])),
];

const quickstart = (...more: string[]) =>
  execa('npm', ['run', '--silent', 'quickstart', '--', '--containers', '3', ...more], {
    all: true,
    reject: false,
    stdin: 'ignore',
  });

describe('npm run quickstart', () => {
  test(
    'tells the whole story, and leaves nothing',
    async () => {
      const { all, exitCode } = await quickstart();
      expect(exitCode === 0 ? '' : all).toBe('');
      for (const text of [
        '6 containers in 2 services (web, api) answer behind HAProxy',
        'groundswell upgrade h1 libgs-demo1',
        '6 containers still run the old library',
        '6 ran the old library, 6 were restarted and verified, 6 of 6 answer with',
        'nothing to do, no container was restarted.',
      ])
        expect(all).toContain(text);
      expect(all).toMatch(/^ {2}web: \d+ \(web-01\), \d+ \(web-02\), \d+ \(web-03\)$/m);
      // Containers, floor, fewest up, fewest answering, requests, failed.
      expect(all).toMatch(/^web +3 +1 +[1-3] +[1-3] +\d{2,} +0$/m);
      expect(all).toMatch(/wave-finished .*finished: 6 verified/);
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
      const running = quickstart();
      const inItsWave = new Promise<null>((resolve) => {
        let text = '';
        running.all.on('data', (part: Buffer) => {
          text += part.toString();
          if (text.includes('The wave.')) resolve(null);
        });
      });
      const early = await Promise.race([inItsWave, running]);
      expect(early?.all).toBeUndefined();
      // A terminal sends it to every process of the job: npm hands it on to what it runs.
      running.kill('SIGINT');
      const { all, exitCode } = await running;
      expect(all).not.toContain('    at ');
      expect(exitCode).toBe(130);
      expect(await leftovers()).toEqual([]);
    },
    LIMIT_MS,
  );
});
