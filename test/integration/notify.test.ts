import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notice } from '../../src/core/coordinator/turn.ts';
import { createNotifier } from '../../src/workers/control/notify.ts';
import { waitUntil } from '../bed/wait-until.ts';

let directory: string;
let server: Server;
let url: string;
const heard: { began: string; atOnce: number }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gw-notify-'));
  heard.length = 0;
  let open = 0;
  server = createServer((request, response) => {
    let body = '';
    open += 1;
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      heard.push({ began: (JSON.parse(body) as Notice).text, atOnce: open });
      setTimeout(() => {
        open -= 1;
        response.statusCode = body.includes('second') ? 500 : 200;
        response.end();
      }, 30);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

const texts = ['first', 'second', 'third'];
const notices = texts.map((text): Notice => ({ kind: 'paused', waveId: 'w', text }));

test('command and webhook get every notice in order, one at a time, and a failure keeps none back', async () => {
  const program = join(directory, 'tell');
  // Slower for the first: side by side the others would overtake it.
  await writeFile(
    program,
    '#!/bin/sh\nread -r line\ncase $line in *first*) sleep 0.2 ;; *second*) exit 3 ;; esac\necho "$line" >>"$1"\n',
  );
  await chmod(program, 0o755);
  const log = join(directory, 'log');
  const problems: string[] = [];
  const notifier = createNotifier({ command: [program, log], webhook: url }, (_, what) => {
    problems.push(what);
  });
  for (const notice of notices) notifier.tell(notice);
  const lines = await waitUntil(
    'the command to hear the last',
    async () => {
      const all = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
      return all.length === 2 && heard.length === 3 && problems.length === 2 ? all : null;
    },
    { deadlineMs: 10_000 },
  );
  expect(lines.map((line) => JSON.parse(line) as Notice)).toEqual([notices[0], notices[2]]);
  expect(heard).toEqual(texts.map((began) => ({ began, atOnce: 1 })));
  expect(problems.sort()).toEqual([`notification command ${program}`, `webhook ${url}`]);
});

test('a command that leaves a child behind keeps no notice back', async () => {
  const program = join(directory, 'tell');
  await writeFile(program, '#!/bin/sh\ncat >>"$1"\nsleep 300 &\necho $! >>"$1.pids"\n');
  await chmod(program, 0o755);
  const log = join(directory, 'log');
  const notifier = createNotifier({ command: [program, log] }, () => undefined);
  for (const notice of notices) notifier.tell(notice);
  const left = async (): Promise<string[]> =>
    (await readFile(`${log}.pids`, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  try {
    // Its last word, after which no child is left that is not named.
    await waitUntil('all notices are told', async () => (await left()).length === notices.length, {
      deadlineMs: 5_000,
    });
    expect((await readFile(log, 'utf8')).trim().split('\n')).toHaveLength(notices.length);
  } finally {
    for (const pid of await left()) process.kill(Number(pid));
  }
});
