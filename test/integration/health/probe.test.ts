import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { probe } from '../../../src/host/health/probe.ts';
import type { ProbeDependencies } from '../../../src/host/health/probe.ts';
import { attachArguments, createAttach } from '../../../src/host/health/attach.ts';
import { waitUntilHealthy } from '../../../src/host/health/wait-until-healthy.ts';
import { runBounded } from '../../../src/host/run-bounded.ts';
import type { BoundedResult } from '../../../src/host/run-bounded.ts';

const target = { name: 'web-1', address: '127.0.0.1' };
const deps: ProbeDependencies = {
  attach: createAttach(runBounded, '/var/lib/lxc'),
  state: () => Promise.resolve('running'),
  addressOf: () => Promise.resolve(null),
};

let web: Server;
let port: number;
let answer: { code: number; delayMs: number; seen: string[] };

beforeEach(async () => {
  answer = { code: 200, delayMs: 0, seen: [] };
  web = createServer((request, response) => {
    answer.seen.push(`${request.url ?? ''} ${request.headers.host ?? ''}`);
    setTimeout(() => {
      response.writeHead(answer.code, { location: '/elsewhere' });
      response.end('x'.repeat(200_000));
    }, answer.delayMs).unref();
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  port = (web.address() as AddressInfo).port;
});
afterEach(async () => {
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
});

const http = (more: { path?: string; status?: number[] } = {}) =>
  ({ kind: 'http', port, path: '/health', ...more }) as const;

describe('without an address in its configuration', () => {
  const leased = { name: 'web-1', address: null };
  test.each([
    ['http', () => http()],
    ['tcp', () => ({ kind: 'tcp', port }) as const],
  ])('%s asks where it is now, each time anew', async (_, check) => {
    let address: string | null = null;
    const asked = { ...deps, addressOf: () => Promise.resolve(address) };
    expect(await probe(check(), leased, { timeoutMs: 1_000 }, asked)).toMatchObject({
      health: 'unknown',
      reason: expect.stringMatching(/check needs an address, and web-1 has none/),
    });
    address = '127.0.0.1';
    const told = await probe(check(), leased, { timeoutMs: 1_000 }, asked);
    expect(told.health).toBe('healthy');
  });

  test('a runtime that cannot tell is no answer', async () => {
    const addressOf = () => Promise.reject(new Error('its monitor does not answer'));
    const told = await probe(http(), leased, { timeoutMs: 1_000 }, { ...deps, addressOf });
    expect(told.health).toBe('unknown');
  });
});

describe('http probe', () => {
  test.each([
    [200, undefined, 'healthy'],
    [302, undefined, 'healthy'],
    [404, undefined, 'unhealthy'],
    [503, undefined, 'unhealthy'],
    [404, [404], 'healthy'],
    [200, [204], 'unhealthy'],
  ])('%d, accepted %j: %s', async (code, status, health) => {
    answer.code = code;
    const told = await probe(
      http(status === undefined ? {} : { status }),
      target,
      { timeoutMs: 1_000 },
      deps,
    );
    expect(told.health).toBe(health);
    expect(told.reason).toContain(String(code));
    // Redirects are not followed.
    expect(answer.seen).toEqual([`/health 127.0.0.1:${port}`]);
  });

  test('one that does not answer in time is unhealthy, and says so', async () => {
    answer.delayMs = 5_000;
    const told = await probe(http(), target, { timeoutMs: 80 }, deps);
    expect(told.health).toBe('unhealthy');
    expect(told.reason).toMatch(/GET \/health on 127.0.0.1:\d+ was not answered within \d+ ms/);
    expect(told.tookMs).toBeLessThan(1_000);
  });

  test('abort ends it at once', async () => {
    answer.delayMs = 5_000;
    const abort = new AbortController();
    const asked = probe(http(), target, { timeoutMs: 10_000, signal: abort.signal }, deps);
    setTimeout(() => {
      abort.abort();
    }, 20);
    expect((await asked).reason).toBe('broken off');
  });

  test('a service that does not speak HTTP', async () => {
    const tcp = createTcpServer((socket) => socket.end('hello\r\n\r\n'));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const check = { kind: 'http', path: '/', port: (tcp.address() as AddressInfo).port } as const;
    const told = await probe(check, target, { timeoutMs: 1_000 }, deps);
    tcp.close();
    expect(told.health).toBe('unhealthy');
    expect(told.reason).toMatch(/Parse Error/);
  });

  test('without an address nothing is known, and what to do is said', async () => {
    const told = await probe(http(), { name: 'web-1', address: null }, { timeoutMs: 100 }, deps);
    expect(told.health).toBe('unknown');
    expect(told.reason).toMatch(/web-1 has none, .* now: set lxc.net.0.ipv4.address/);
  });
});

describe('tcp probe', () => {
  test('open and closed', async () => {
    const open = await probe({ kind: 'tcp', port }, target, { timeoutMs: 500 }, deps);
    expect(open.health).toBe('healthy');
    await new Promise((resolve) => web.close(resolve));
    const closed = await probe({ kind: 'tcp', port }, target, { timeoutMs: 500 }, deps);
    expect(closed).toMatchObject({
      health: 'unhealthy',
      reason: `127.0.0.1:${port} refuses connections`,
    });
  });

  test('an address that swallows packets is given up after the limit for connections', async () => {
    // TEST-NET-1 is never routed; where the machine says so at once, that is an answer as well.
    const limits = { timeoutMs: 5_000, connectTimeoutMs: 50 };
    const told = await probe(
      { kind: 'tcp', port },
      { ...target, address: '192.0.2.1' },
      limits,
      deps,
    );
    expect(told.health).toBe('unhealthy');
    expect(told.tookMs).toBeLessThan(1_000);
  });
});

describe('command probe', () => {
  const ask = (result: Partial<BoundedResult>) =>
    probe(
      { kind: 'command', command: ['pg_isready', '-q'] },
      target,
      { timeoutMs: 100 },
      {
        ...deps,
        attach: () =>
          Promise.resolve({ ended: 'exited', exitCode: 0, output: '', problem: '', ...result }),
      },
    );

  test.each<[Partial<BoundedResult>, string, string]>([
    [{}, 'healthy', 'pg_isready exited with 0'],
    [
      { exitCode: 2, output: 'no\nresponse\n' },
      'unhealthy',
      'command pg_isready exited with 2: response',
    ],
    [
      { ended: 'timed-out', exitCode: null },
      'unhealthy',
      'command pg_isready did not end within 100 ms and was ended',
    ],
    [
      { exitCode: 127, output: 'lxc-attach: web-1: attach.c: 1841 Failed to exec "pg_isready"' },
      'unhealthy',
      'command pg_isready exited with 127: lxc-attach: web-1: attach.c: 1841 Failed to exec "pg_isready"',
    ],
    [
      { exitCode: 1, output: 'lxc-attach: web-1: no init' },
      'unhealthy',
      'cannot enter web-1: command pg_isready exited with 1: lxc-attach: web-1: no init',
    ],
    [
      { ended: 'failed', exitCode: null, problem: 'spawn lxc-attach ENOENT' },
      'unknown',
      'lxc-attach is not installed: install LXC (apt-get install lxc)',
    ],
  ])('%j', async (result, health, reason) => {
    expect(await ask(result)).toMatchObject({ health, reason });
  });

  describe.each([137, 0])('where lxc-attach exits with %d when SIGKILL ended it', (told) => {
    /** The command itself, and of its end what lxc-attach would say. */
    const attach = createAttach(async (argv, options) => {
      const result = await runBounded(argv.slice(argv.indexOf('--') + 1), options);
      return result.problem === 'ended by SIGKILL'
        ? { ...result, ended: 'exited', exitCode: told }
        : result;
    }, '/var/lib/lxc');
    test.each([
      [['sh', '-c', 'kill -KILL $$'], 10_000, 'unhealthy', /^command sh exited with 137/],
      [['sh', '-c', 'exit 3'], 10_000, 'unhealthy', /^command sh exited with 3/],
      [['test', 'two words', '=', 'two words'], 10_000, 'healthy', /^test exited with 0/],
      [['sleep', '30'], 300, 'unhealthy', /^command sleep did not end within 300 ms/],
    ])('%j in %d ms is %s', async (command, timeoutMs, health, reason) => {
      const of = { ...deps, attach };
      const answer = await probe({ kind: 'command', command }, target, { timeoutMs }, of);
      expect(answer).toMatchObject({ health, reason: expect.stringMatching(reason) as unknown });
    });
  });

  test('enters with a cleared environment', () => {
    expect(attachArguments('/var/lib/lxc', 'web-1', ['a', '-b'])).toEqual(
      expect.arrayContaining(['--clear-env', '-n', 'web-1', '--', 'a', '-b']),
    );
  });
});

describe('waiting until healthy', () => {
  const settings = {
    probeIntervalMs: 250,
    probeTimeoutMs: 500,
    minHealthyTimeMs: 0,
    healthyDeadlineMs: 5_000,
  };
  const wait = (more: object, state = deps.state, signal?: AbortSignal) =>
    waitUntilHealthy(
      { settings: { ...settings, health: http(), ...more }, target, deadline: true, signal },
      { ...deps, state },
    );

  test('a service that comes up after 60 ms is seen within a few', async () => {
    await new Promise((resolve) => web.close(resolve));
    let openedAt = 0;
    setTimeout(() => {
      web.listen(port, '127.0.0.1', () => (openedAt = performance.now()));
    }, 60);
    const told = await wait({});
    expect(told.result).toBe('healthy');
    expect(performance.now() - openedAt).toBeLessThan(60);
    expect(told.probes).toBeGreaterThan(3);
  });

  test('must be healthy for the whole time, probed at the interval', async () => {
    const told = await wait({ minHealthyTimeMs: 200, probeIntervalMs: 50 });
    expect(told).toMatchObject({ result: 'healthy' });
    expect(told.tookMs).toBeGreaterThanOrEqual(200);
    expect(told.probes).toBeLessThan(8);
  });

  test('flapping starts the time anew', async () => {
    setTimeout(() => (answer.code = 500), 100);
    setTimeout(() => (answer.code = 200), 200);
    const told = await wait({ minHealthyTimeMs: 150, probeIntervalMs: 10 });
    expect(told.result).toBe('healthy');
    expect(told.tookMs).toBeGreaterThanOrEqual(340);
  });

  test('fails at the deadline with the last reason', async () => {
    answer.code = 503;
    const told = await wait({ healthyDeadlineMs: 150 });
    expect(told.result).toBe('deadline');
    expect(told.reason).toMatch(/^not healthy within 0.2 s: GET \/health on .* answered 503/);
  });

  test.each([
    ['stopped', 'down'],
    ['gone', 'gone'],
  ] as const)('a container that is %s is said to be %s', async (state, result) => {
    answer.code = 503;
    const told = await wait({}, () => Promise.resolve(state));
    expect(told.result).toBe(result);
    expect(told.tookMs).toBeLessThan(1_000);
  });

  test('can be broken off', async () => {
    answer.code = 503;
    const abort = new AbortController();
    setTimeout(() => {
      abort.abort();
    }, 50);
    expect((await wait({}, deps.state, abort.signal)).result).toBe('aborted');
  });
});
