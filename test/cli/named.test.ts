import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createProgram, runProgram } from '../../src/cli/program.ts';

const wave = '57810a52-3f5e-4ac8-9a2e-6a1f1c3d2e4f';
const containers = ['h1/web-01', 'h1/web-02', 'h2/web-02', 'h1/beef'];

let directory: string;
let server: Server;
let socketPath: string;
/** What the server was asked to do, or for its audit records. */
let asked: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-named-'));
  socketPath = join(directory, 's');
  asked = [];
  const answers: Record<string, unknown> = {
    '/v1/status': { hosts: [{ id: 'h1' }], waves: [{ id: wave }, { id: `beef${wave.slice(4)}` }] },
    '/v1/waves': [{ id: wave }],
    '/v1/containers': containers.map((container) => ({ container })),
  };
  server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url.startsWith('/v1/audit')) asked.push(url);
    void text(request).then((body) => {
      if (url === '/v1/actions') asked.push(body);
      response.end(JSON.stringify(answers[url] ?? (url === '/v1/actions' ? { text: '' } : [])));
    });
  }).listen(socketPath);
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

const type = async (...argv: string[]): Promise<{ code: number; out: string; error: string }> => {
  const said = { out: '', error: '' };
  const program = createProgram(
    '0',
    {
      ...{ socketPath, actor: 'ann', interactive: false, setExitCode: () => undefined },
      write: (line) => (said.out += line),
    },
    [],
  );
  return { code: await runProgram(program, argv, (line) => (said.error += line)), ...said };
};

test.each([
  ['h1', { of: 'host', hostId: 'h1' }],
  ['5781', { of: 'wave', waveId: wave }],
  ['57810a52', { of: 'wave', waveId: wave }],
  ['web-01', { of: 'container', container: 'h1/web-01' }],
  ['beef', { of: 'container', container: 'h1/beef' }],
])('retry %s', async (what, scope) => {
  expect(await type('retry', what)).toMatchObject({ code: 0, error: '' });
  expect(asked.map((each): unknown => JSON.parse(each))).toEqual([
    { actor: 'ann', action: { action: 'retry', scope } },
  ]);
});

test('audit list takes the bare name of a container, as all else does', async () => {
  await type('audit', 'list', '--container', 'web-01');
  await type('audit', 'list', '--container', 'h9/gone');
  expect(asked.map((url) => new URLSearchParams(url.split('?')[1]).get('container'))).toEqual([
    'h1/web-01',
    'h9/gone',
  ]);
  expect(await type('audit', 'list', '--container', 'web-02')).toMatchObject({
    code: 1,
    error: 'groundswell: web-02 is on several hosts: h1/web-02, h2/web-02\n',
  });
});

test('with --json an error is JSON as the API has it, on standard error', async () => {
  for (const [argv, code, error] of [
    [['why', 'nobody', '--json'], 1, 'nothing is called nobody; see: groundswell containers'],
    [['why', '--json'], 2, "missing required argument 'container'"],
    [['hosts', '--json', '--frob'], 2, "unknown option '--frob'"],
  ] as const) {
    const said = await type(...argv);
    expect([said.code, said.out, JSON.parse(said.error)]).toEqual([code, '', { error }]);
  }
  expect((await type('why', 'nobody')).error).toMatch(/^groundswell: nothing is called nobody/);
});
