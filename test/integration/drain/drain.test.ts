import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HaproxyDrain } from '../../../src/core/service-settings.ts';
import { drain, undrain } from '../../../src/host/drain/drain.ts';
import type { DrainDependencies, DrainSettings } from '../../../src/host/drain/drain.ts';
import { lostFound } from '../../../src/host/drain/found.ts';
import { askHaproxy } from '../../../src/host/drain/haproxy-runtime.ts';
import { createAttach } from '../../../src/host/health/attach.ts';
import { probe } from '../../../src/host/health/probe.ts';
import { runBounded } from '../../../src/host/run-bounded.ts';
import { startRig } from './haproxy-rig.ts';
import type { Rig } from './haproxy-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.dispose());
afterEach(async () => {
  for (const name of ['web-1', 'web-2']) await rig.say(`set server web/${name} state ready`);
  for (const name of ['web-1', 'web-2']) await rig.say(`set server web/${name} health up`);
});

const web1 = { name: 'web-1', address: '127.0.0.1' };
const settings = (haproxy: object = {}, more: Partial<DrainSettings> = {}): DrainSettings => ({
  commandTimeoutMs: 2_000,
  haproxy: HaproxyDrain.parse({ socket: rig.socket, backend: 'web', timeoutMs: 2_000, ...haproxy }),
  ...more,
});

const dependencies = (port: number): DrainDependencies => ({
  run: runBounded,
  ask: askHaproxy,
  isHealthy: async () => {
    const check = { kind: 'http', port, path: '/health' } as const;
    const deps = {
      attach: createAttach(runBounded, ''),
      addressOf: () => Promise.resolve(null),
      state: () => Promise.resolve('running' as const),
    };
    return (await probe(check, web1, { timeoutMs: 500 }, deps)).health === 'healthy';
  },
});
const deps = (): DrainDependencies => dependencies(rig.servers[0].port);
const forget = { found: null, keep: () => undefined };

/** Samples HAProxy as fast as it answers, and keeps how few servers were up at once. */
const watchServers = (): { stop: () => Promise<void>; lowestUp: () => number } => {
  const state = { watching: true, lowestUp: 2 };
  const watch = async (): Promise<void> => {
    while (state.watching) {
      const up = Object.entries(await rig.status()).filter(
        ([name, is]) => name.startsWith('web-') && is.startsWith('UP'),
      );
      state.lowestUp = Math.min(state.lowestUp, up.length);
    }
  };
  const watched = watch();
  return {
    stop: () => {
      state.watching = false;
      return watched;
    },
    lowestUp: () => state.lowestUp,
  };
};

/** Restarts each server `rounds` times under load, with or without a drain around it. */
const restartUnderLoad = async (
  rounds: number,
  drained: boolean,
): Promise<{ succeeded: number; failed: number; lowestUp: number }> => {
  const stop = rig.load(30);
  const watch = watchServers();
  try {
    for (let round = 0; round < rounds; round++)
      for (const [index, server] of rig.servers.entries()) {
        const container = { name: `web-${index + 1}`, address: '127.0.0.1' };
        const around = dependencies(server.port);
        const begun = drained ? await drain(settings(), container, around, forget) : null;
        if (begun?.ok === false) throw new Error(begun.reason);
        await server.kill();
        await sleep(30);
        await server.start();
        if (begun === null) await sleep(60);
        else {
          const ended = await undrain(settings(), container, begun.found, around);
          if (!ended.ok) throw new Error(ended.reason);
        }
      }
  } finally {
    await watch.stop();
  }
  return { ...(await stop()), lowestUp: watch.lowestUp() };
};

describe('restarts under load', () => {
  test('without a drain requests fail, so the next test proves something', async () => {
    const { failed } = await restartUnderLoad(3, false);
    expect(failed).toBeGreaterThan(0);
  }, 30_000);

  test('with a drain none does, and the other server stays up', async () => {
    const { failed, succeeded, lowestUp } = await restartUnderLoad(5, true);
    expect(succeeded).toBeGreaterThan(100);
    expect({ failed, lowestUp }).toEqual({ failed: 0, lowestUp: 1 });
  }, 30_000);
});

describe('what is found', () => {
  test.each([
    ['maint', 'MAINT'],
    ['drain', 'DRAIN'],
  ])('a server that an operator had in %s stays there (R28)', async (state, status) => {
    await rig.say(`set server web/web-1 state ${state}`);
    const begun = await drain(settings(), web1, deps(), forget);
    expect(begun).toMatchObject({ ok: true });
    expect(JSON.parse(begun.found ?? '')).toMatchObject({ haproxy: { state } });
    expect((await rig.status())['web-1']).toBe(status);
    expect(await undrain(settings(), web1, begun.found, deps())).toEqual({ ok: true });
    expect((await rig.status())['web-1']).toBe(status);
  });

  test('is durable before the server is taken out', async () => {
    const seen: string[] = [];
    await drain(settings(), web1, deps(), {
      found: null,
      keep: async (text) => {
        seen.push(text, (await rig.status())['web-1'] ?? '');
      },
    });
    expect(seen).toEqual([expect.stringContaining('"state":"ready"'), 'UP']);
    expect((await rig.status())['web-1']).toBe('MAINT');
  });

  test('and what cannot be kept is not drained', async () => {
    const begun = await drain(settings(), web1, deps(), {
      found: null,
      keep: () => Promise.reject(new Error('disk full')),
    });
    expect(begun).toEqual({ ok: false, found: null, reason: 'disk full' });
    expect((await rig.status())['web-1']).toBe('UP');
  });

  test('a drain that is repeated after a crash does not take our own maint for an operator’s', async () => {
    const first = await drain(settings(), web1, deps(), forget);
    const second = await drain(settings(), web1, deps(), {
      found: first.found,
      keep: () => undefined,
    });
    expect(second).toEqual(first);
    // Another process, another configuration: what was found says which server it was.
    const elsewhere = settings({ backend: 'renamed' });
    for (let twice = 0; twice < 2; twice++)
      expect(await undrain(elsewhere, web1, second.found, deps())).toEqual({ ok: true });
    expect((await rig.status())['web-1']).toBe('UP');
  });

  test('nothing found, nothing undone', async () => {
    await rig.say('set server web/web-1 state maint');
    expect(await undrain(settings(), web1, null, deps())).toEqual({ ok: true });
    expect((await rig.status())['web-1']).toBe('MAINT');
  });

  test('lost with its journal: a server that is out is a question to a person (R15, L3)', async () => {
    expect(await undrain(settings(), web1, lostFound, deps())).toEqual({ ok: true });
    await rig.say('set server web/web-1 state maint');
    const told = await undrain(settings(), web1, lostFound, deps());
    expect(told).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/server web\/web-1: it is in state maint.*state ready/),
    });
    expect((await rig.status())['web-1']).toBe('MAINT');
  });
});

describe('sessions', () => {
  test('are waited for, up to the limit; then everything is put back', async () => {
    const held = request({ host: '127.0.0.1', port: rig.frontendPort, path: '/?ms=400' });
    const answered = new Promise<number | undefined>((resolve) =>
      held.once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      }),
    );
    await rig.say('set server web/web-2 state maint');
    held.end();
    const end = Date.now() + 2_000;
    while (!(await rig.say('show stat web 4 1')).includes('\nweb,web-1,0,0,1,'))
      if (Date.now() > end) throw new Error('the request does not arrive');

    const short = await drain(settings({ timeoutMs: 50 }), web1, deps(), forget);
    expect(short).toMatchObject({
      ok: false,
      reason: `HAProxy at ${rig.socket}, server web/web-1: 1 sessions are still open after 50 ms`,
    });
    expect(await undrain(settings(), web1, short.found, deps())).toEqual({ ok: true });
    expect((await rig.status())['web-1']).toBe('UP');

    expect(await drain(settings(), web1, deps(), forget)).toMatchObject({ ok: true });
    expect(await answered).toBe(200);
  });
});

describe('a server that is not healthy', () => {
  test('is put back for HAProxy’s own checks to decide', async () => {
    const begun = await drain(settings(), web1, deps(), forget);
    const sick = { ...deps(), isHealthy: () => Promise.resolve(false) };
    await rig.servers[0].kill();
    expect(await undrain(settings(), web1, begun.found, sick)).toEqual({ ok: true });
    const end = Date.now() + 2_000;
    while (!(await rig.status())['web-1']?.startsWith('DOWN'))
      if (Date.now() > end) throw new Error('HAProxy does not find it down');
    await rig.servers[0].start();
  });

  test('one that tracks another has no health of its own', async () => {
    const follower = settings({ server: 'follower' });
    const begun = await drain(follower, web1, deps(), forget);
    expect(await undrain(follower, web1, begun.found, deps())).toEqual({ ok: true });
    expect((await rig.status())['follower']).toBe('UP');
  });
});

describe('what cannot be drained', () => {
  test.each([
    [{ backend: 'nope' }, /server nope\/web-1: there is no such backend$/],
    [{ server: 'x-{name}' }, /server web\/x-web-1: there is no such server in the backend: set/],
    [{ backend: 'web; quit' }, /"web; quit" is no name for a backend/],
    [
      { socket: '/no/such/socket' },
      /^HAProxy at \/no\/such\/socket, server web\/web-1: there is no such socket/,
    ],
    [{ socket: '127.0.0.1:1' }, /^HAProxy at 127.0.0.1:1, .*: nothing listens there/],
  ])('%j is named', async (haproxy, reason) => {
    const begun = await drain(settings(haproxy), web1, deps(), forget);
    expect(begun).toMatchObject({ ok: false, found: null, reason: expect.stringMatching(reason) });
  });

  test('a socket without the right to do it, and one over TCP with it', async () => {
    const begun = await drain(settings({ socket: rig.viewerSocket }), web1, deps(), forget);
    expect(begun).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/needs `level admin`/),
    });
    expect(await drain(settings({ socket: rig.tcpSocket }), web1, deps(), forget)).toMatchObject({
      ok: true,
    });
  });
});

describe('commands', () => {
  test('come before maint and before ready, with name and address', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gw-drain-'));
    try {
      const [log, script] = [join(directory, 'log'), join(directory, 'note')];
      await writeFile(script, '#!/bin/sh\necho "$@" >> "${0%/*}/log"\n', { mode: 0o755 });
      const asked: string[] = [];
      const recording: DrainDependencies = {
        ...deps(),
        ask: async (socket, command, options) => {
          if (command.startsWith('set')) asked.push(command, await readFile(log, 'utf8'));
          return askHaproxy(socket, command, options);
        },
      };
      const with_ = settings(
        {},
        {
          beforeStop: [script, 'out', '{name}', '{address}'],
          afterHealthy: [script, 'in', '{name}'],
        },
      );
      const begun = await drain(with_, web1, recording, forget);
      await undrain(with_, web1, begun.found, recording);
      expect(asked).toEqual([
        'set server web/web-1 state maint',
        'out web-1 127.0.0.1\n',
        'set server web/web-1 state ready',
        'out web-1 127.0.0.1\nin web-1\n',
        'set server web/web-1 health up',
        'out web-1 127.0.0.1\nin web-1\n',
      ]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('one that fails is a failed drain, and nothing was taken out', async () => {
    const with_ = settings({}, { beforeStop: ['sh', '-c', 'echo no such pool >&2; exit 4'] });
    expect(await drain(with_, web1, deps(), forget)).toMatchObject({
      ok: false,
      found: expect.stringContaining('ready'),
      reason: 'beforeStop of web-1: command sh exited with 4: no such pool',
    });
    expect((await rig.status())['web-1']).toBe('UP');
  });

  test('a service without HAProxy', async () => {
    const plain: DrainSettings = { commandTimeoutMs: 1_000 };
    const begun = await drain(plain, web1, deps(), forget);
    expect(begun).toEqual({ ok: true, found: '{"haproxy":null}' });
    expect(await undrain(plain, web1, begun.found, deps())).toEqual({ ok: true });
  });
});
