import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram, runProgram } from '../../src/cli/program.ts';
import type { AuditRow } from '../../src/core/coordinator/api-rows.ts';

let directory: string;
let server: Server;
let socketPath: string;
/** What the server has been asked for, and what it answers, one after the other; then it fails. */
let asked: URLSearchParams[];
let answers: AuditRow[][];

const row = (position: number): AuditRow => ({
  ...{ position, chain: 'h1', seq: position * 10, hash: 'x', proven: position !== 3 },
  record: { at: `2026-11-29T10:00:0${position}.000Z`, actor: 'ann', action: `a${position}` },
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-audit-follow-'));
  socketPath = join(directory, 's');
  asked = [];
  server = createServer((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?');
    if (path === '/v1/changes') return void response.end('event: change\ndata: {}\n\n');
    asked.push(new URLSearchParams(query));
    const answer = answers.shift();
    if (answer === undefined) response.statusCode = 500;
    response.end(JSON.stringify(answer ?? { error: 'it is over' }));
  }).listen(socketPath);
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

const follow = async (...more: string[]): Promise<string[]> => {
  let [out, error] = ['', ''];
  const write = (text: string): unknown => (out += text);
  const deps = { socketPath, actor: 'ann', interactive: false, setExitCode: () => undefined };
  const program = createProgram('0', { ...deps, write: (text) => void write(text) }, []);
  const argv = ['audit', 'list', '--follow', '--service', 'web', ...more];
  expect(await runProgram(program, argv, (text) => (error += text))).toBe(1);
  expect(error).toContain('it is over');
  return out.trim().split('\n');
};
const wanted = (): (string | null)[][] =>
  asked.map((query) => ['service', 'after', 'limit'].map((name) => query.get(name)));

test('what is there is shown, then each record that comes, once', async () => {
  answers = [[row(1), row(2)], [], [row(3), row(4)], [row(5)]];
  expect((await follow('--limit', '2')).map((line) => line.split(/ {2,}/)[1])).toEqual([
    ...['h1#10', 'h1#20', 'h1#30?', 'h1#40', 'h1#50'],
  ]);
  expect(wanted()).toEqual([
    ['web', null, '2'],
    ['web', '2', '10000'],
    ['web', '2', '10000'],
    ['web', '4', '10000'],
    ['web', '5', '10000'],
  ]);
});

test('where nothing is there yet, what comes first is shown', async () => {
  answers = [[], [], [row(1)]];
  expect(await follow()).toHaveLength(1);
  expect(wanted().map(([, after]) => after)).toEqual([null, '0', '0', '1']);
});

test('--json: each is a line of its own', async () => {
  answers = [[row(1)], [row(2)]];
  expect((await follow('--json')).map((line): unknown => JSON.parse(line))).toEqual([
    row(1),
    row(2),
  ]);
});
