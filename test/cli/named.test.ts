import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { commandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';

const wave = '57810a52-3f5e-4ac8-9a2e-6a1f1c3d2e4f';
const containers = ['h1/web-01', 'h1/web-02', 'h2/web-02', 'h1/beef'];

let line: CommandLine;

beforeEach(async () => {
  line = await commandLine({
    '/v1/status': { hosts: [{ id: 'h1' }], waves: [{ id: wave }, { id: `beef${wave.slice(4)}` }] },
    '/v1/waves': [{ id: wave }],
    '/v1/containers': containers.map((container) => ({ container })),
  });
});
afterEach(() => line.close());

test.each([
  ['h1', { of: 'host', hostId: 'h1' }],
  ['5781', { of: 'wave', waveId: wave }],
  ['57810a52', { of: 'wave', waveId: wave }],
  ['web-01', { of: 'container', container: 'h1/web-01' }],
  ['beef', { of: 'container', container: 'h1/beef' }],
])('retry %s', async (what, scope) => {
  expect(await line.type('retry', what)).toMatchObject({ code: 0, error: '' });
  expect(line.asked.map((each): unknown => JSON.parse(each))).toEqual([
    { actor: 'ann', action: { action: 'retry', scope } },
  ]);
});

test('audit list takes the bare name of a container, as all else does', async () => {
  await line.type('audit', 'list', '--container', 'web-01');
  await line.type('audit', 'list', '--container', 'h9/gone');
  expect(line.asked.map((url) => new URLSearchParams(url.split('?')[1]).get('container'))).toEqual([
    'h1/web-01',
    'h9/gone',
  ]);
  expect(await line.type('audit', 'list', '--container', 'web-02')).toMatchObject({
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
    const said = await line.type(...argv);
    expect([said.code, said.out, JSON.parse(said.error)]).toEqual([code, '', { error }]);
  }
  expect((await line.type('why', 'nobody')).error).toMatch(
    /^groundswell: nothing is called nobody/,
  );
});

test('an empty socket, as of a variable that is not set, is refused: nothing else is asked in its place', async () => {
  const { code, error } = await line.type('status', '--json', '--socket', '');
  expect([code, error]).toEqual([2, expect.stringContaining('Want the path of a socket.')]);
});
