import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram, runProgram } from '../../src/cli/program.ts';
import type { WaveSummary } from '../../src/cli/views.ts';

let directory: string;
let server: Server;
let socketPath: string;
/** What the server says of the wave, one answer after the other; the last stays. */
let answers: Partial<WaveSummary>[];

const id = '0b5c7a52-3f5e-4ac8-9a2e-6a1f1c3d2e4f';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-follow-'));
  socketPath = join(directory, 's');
  server = createServer((request, response) => {
    if (request.url === '/v1/changes') return void response.end('event: change\ndata: {}\n\n');
    const wave = answers.length > 1 ? answers.shift() : answers[0];
    response.end(JSON.stringify(request.url === '/v1/services' ? [] : wave));
  }).listen(socketPath);
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

test.each([
  ['finished', {}, []],
  ['finished', { counts: { verified: 3, shadowed: 1, 'opted-out': 1 } }, []],
  ['finished', { counts: { verified: 3, stale: 1 } }, [10]],
  ['finished', { upgrades: [{ host: 'h1', state: 'failed', reason: '' }] }, [10]],
  ['stopped', {}, [10]],
  ['declined', {}, [10]],
])('the exit code tells of a followed wave that is %s with %j', async (state, more, codes) => {
  answers = [
    {
      ...{ id, cause: 'openssl 2', stage: 'rest', approvedBy: 'ann', failures: 0, maxFailures: 0 },
      ...{ createdAt: null, startedAt: null, endedAt: null, counts: {}, total: 4, state },
      ...{ members: [], upgrades: [], waitsFor: null, pausedBy: null, remedy: null, asked: null },
      ...more,
    },
  ];
  const set: number[] = [];
  const write = (): void => undefined;
  const setExitCode = (code: number): number => set.push(code);
  const deps = { socketPath, actor: 'ann', write, interactive: false, setExitCode };
  for (const argv of [
    ['wave', id, '--follow'],
    ['wave', id],
  ])
    expect(await runProgram(createProgram('0', deps, []), argv, write)).toBe(0);
  expect(set).toEqual(codes);
});

test('a wave that is followed says why it is paused and what ends that, once', async () => {
  const wave = {
    ...{ id, cause: 'openssl 2', stage: 'rest', approvedBy: 'ann', failures: 0, maxFailures: 0 },
    ...{ createdAt: null, startedAt: null, endedAt: null, counts: {}, total: 4 },
    ...{ members: [], upgrades: [], waitsFor: null, pausedBy: null, remedy: null, asked: null },
  };
  const paused = {
    ...wave,
    state: 'paused',
    pausedBy: 'port closed',
    remedy: 'groundswell resume',
  };
  answers = [
    { ...wave, state: 'running' },
    paused,
    { ...paused, counts: { pending: 4 } },
    { ...wave, state: 'finished' },
  ];
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const setExitCode = (): void => undefined;
  const deps = { socketPath, actor: 'ann', write, interactive: false, setExitCode };
  const argv = ['wave', id, '--follow'];
  expect(await runProgram(createProgram('0', deps, []), argv, write)).toBe(0);
  const lines = printed.split('\n');
  expect(lines.filter((line) => line.startsWith('paused: '))).toEqual([
    'paused: port closed (groundswell resume)',
  ]);
  expect(lines.indexOf('paused: port closed (groundswell resume)')).toBeLessThan(
    lines.findIndex((line) => line.includes('finished')),
  );
});
