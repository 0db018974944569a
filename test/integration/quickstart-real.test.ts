import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { requireMirror } from '../../quickstart/real-host.ts';
import { realUpdate } from '../../quickstart/real-update.ts';
import type { Distribution } from '../bed/apt-sources.ts';
import { listening } from './producers/fetch/feed-server.ts';

const distribution: Distribution = {
  ...{ id: 'debian', codename: 'bookworm', components: ['main'] },
  mirror: 'http://mirror.example.org/debian',
  security: 'http://mirror.example.org/debian-security',
};

test('a mirror that cannot be reached is said to be so, with what to do', async () => {
  const { port, end } = await listening(createServer());
  await end();
  const failed = requireMirror({ ...distribution, security: `http://127.0.0.1:${port}/security/` });
  await expect(failed).rejects.toThrow(
    new RegExp(
      `cannot be fetched from http://127.0.0.1:${port}/security/dists/bookworm-security/InRelease:\n` +
        '  (?:E|Err).*[^]*apt-get update[^]*npm run quickstart$',
    ),
  );
});

test('a mirror that has the suite will do', async () => {
  const { port, end } = await listening(
    createServer((asked, answer) => {
      answer.writeHead(asked.url?.endsWith('/dists/bookworm-security/InRelease') ? 200 : 404);
      answer.end('signed');
    }),
  );
  await requireMirror({ ...distribution, security: `http://127.0.0.1:${port}` }).finally(end);
});

test('where nothing is pending that is said, and nothing is asked for', async () => {
  const lines: string[] = [];
  const asked: (readonly string[])[] = [];
  const host = {
    must: (argv: readonly string[]) => {
      asked.push(argv);
      return Promise.resolve('0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n');
    },
  };
  const get = (): Promise<unknown> => Promise.reject(new Error('nothing is asked of the server'));
  const update = realUpdate({ host, get }, distribution, (line) => lines.push(line));
  expect(await update.publish()).toBe(false);
  expect(lines.join('\n')).toContain(
    'Nothing to do: bookworm-security at http://mirror.example.org',
  );
  expect(asked).toHaveLength(1);
});
