import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../../src/audit/chain.ts';
import type { GrantOrder } from '../../../src/core/messages.ts';
import type { SettingsRecord } from '../../../src/core/settings-record.ts';
import { presenceKey } from '../../../src/jobs/queue-names.ts';
import { newSigningKey } from '../../../src/jobs/signing-key.ts';
import { agentTimes } from '../../../src/workers/agent/agent-options.ts';
import type { RunningAgent } from '../../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../../src/workers/agent/start-agent.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';
import { createFakeHost, settingsHash } from './fake-host.ts';
import type { FakeHost } from './fake-host.ts';
import { startFakeServer } from './fake-server.ts';
import type { FakeServer } from './fake-server.ts';
import { removeTree, until } from './loop-rig.ts';

const hostId = 'h1';
let redis: TestRedis;
let server: FakeServer;
let fake: FakeHost;
let directory: string;
let agent: RunningAgent | null;
let packages: PackageEvents;
let settings: SettingsRecord['settings'];

const run = async (heartbeatMs = 300): Promise<RunningAgent> =>
  startAgent({
    hostId,
    version: '0.0.0',
    journalPath: join(directory, 'agent', 'journal.sqlite'),
    redis: redis.address,
    serverKeys: () => [server.verifyKey],
    signingKey: () => server.hostKey,
    host: fake.host,
    describeSettings: (salt) => ({ salt, settings }),
    watchPackages: (events) => {
      packages = events;
      // As the real one says at its first look, where nothing has changed.
      setImmediate(events.onQuiet);
      const done = (): Promise<void> => Promise.resolve();
      return Promise.resolve({ suspend: done, resume: done, stop: done });
    },
    clock: { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID },
    logger: { info: () => undefined, warn: () => undefined },
    times: {
      ...agentTimes,
      tickMs: 50,
      junkEveryMs: 100,
      report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5, gatherMs: 0 },
      observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs },
      gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
    },
  });

beforeEach(async () => {
  redis = await startTestRedis({ own: true });
  server = await startFakeServer(redis.address, hostId);
  fake = createFakeHost(['web-1', 'web-2']);
  settings = { 'agent.hostCap': { shown: '2', seal: 'a' } };
  directory = mkdtempSync(join(tmpdir(), 'gs-agent-'));
  agent = await run();
  await until(() => agent?.status().settled === true, 'the agent is settled');
});
afterEach(async () => {
  await agent?.stop();
  await server.stop();
  await redis.stop();
  removeTree(directory);
});

const order = (container: string, grantId: string = randomUUID()): GrantOrder => ({
  ...{ grantId, container, service: 'web', settingsHash },
  expect: { kind: 'instance', instance: fake.instance(container) },
  attempt: 1,
  ...{ beginBefore: server.serverTime() + 30_000, deadline: server.serverTime() + 60_000 },
  ...{ byHand: false, onlyIfBroken: false, patched: null },
});
const finished = (grantId: string): boolean =>
  server.told('restart-finished').some((report) => report.grantId === grantId);

describe('the agent over a real Redis', () => {
  test('reports the host whole at first, lives visibly, and keeps being heard', async () => {
    const whole = () => server.told('host-observed').find((report) => report.whole);
    await until(() => whole() !== undefined, 'it was observed');
    expect(server.reports[0]?.seq).toBe(1);
    expect(whole()).toMatchObject({
      whole: true,
      settingsHashes: { '*': settingsHash },
      atRest: true,
      containers: [
        { name: 'web-1', state: 'running', health: 'healthy', stale: [] },
        { name: 'web-2', state: 'running', health: 'healthy', stale: [] },
      ],
    });
    const client = redis.client();
    await until(async () => (await client.get(presenceKey(hostId))) !== null, 'it shows itself');
    const before = server.told('host-observed').length;
    await until(() => server.told('host-observed').length > before, 'its heart beats');
    expect(server.told('host-observed').at(-1)).toMatchObject({ whole: false, containers: [] });
  });

  test('carries a transaction of others and a restart through all steps, with its audit', async () => {
    packages.onOpen();
    fake.replaceLibrary();
    const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo', from: '1', to: '2' };
    await packages.onTransaction({ changes: [change] });
    await until(() => server.told('host-upgraded').length > 0, 'the transaction was told');
    expect(server.told('host-upgraded')[0]).toMatchObject({
      transaction: 1,
      origin: { by: 'outside' },
      changes: [change],
      containers: [{ name: 'web-1' }, { name: 'web-2' }],
    });

    const grant = order('web-1');
    const message = server.envelope('restart-batch', { waveId: 'wave-1', grants: [grant] });
    await server.send(message);
    await until(() => finished(grant.grantId), 'the restart is over');
    const steps = server
      .told('restart-progress')
      .filter(({ grantId }) => grantId === grant.grantId)
      .map(({ step }) => step);
    const life = ['journaled', 'draining', 'drained', 'stopping', 'stopped', 'started', 'healthy'];
    expect(steps).toEqual([...life, 'undrained']);
    const [end] = server.told('restart-finished');
    expect(end).toMatchObject({
      outcome: 'done',
      verification: 'verified',
      container: { name: 'web-1', state: 'running', health: 'healthy', stale: [] },
    });
    const times = end?.steps.map(({ at }) => at) ?? [];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(fake.events).toEqual([
      'drain web-1',
      'stop web-1',
      'start web-1',
      'undrain web-1 as ready',
    ]);
    // R21: the next grant waits for an observation that is newer than the end.
    await until(() => {
      const at = server.reports.findIndex(({ report }) => report === end);
      return server.reports
        .slice(at + 1)
        .some(
          ({ report }) =>
            report.kind === 'host-observed' &&
            report.containers.some(
              ({ name, instance }) =>
                name === 'web-1' && instance?.initPid === fake.instance('web-1').initPid,
            ),
        );
    }, 'web-1 was observed after its end');
    const copied = server.told('audit-copied');
    expect(copied.map(({ record }) => record['action'])).toEqual([
      'incarnation-begun',
      'host-upgraded',
      'restart-begun',
      'stop-begun',
      'restart-ended',
    ]);
    expect(verifyChain(copied).kind).toBe('intact');
    expect(copied[3]?.record).toMatchObject({
      ...{ host: hostId, subject: 'h1/web-1', service: 'web', wave: 'wave-1' },
      grant: grant.grantId,
    });
  });

  test('sends again, under fresh ids, what was lost on the way', async () => {
    await until(() => agent?.status().unacknowledgedReports === 0, 'all is acknowledged');
    server.drop.next = 3;
    const grant = { ...order('web-2'), byHand: true };
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(() => finished(grant.grantId), 'the restart is reported in spite of it');
    expect(new Set(server.sendings).size).toBe(server.sendings.length);
    expect(server.sendings.every((id) => id.startsWith('h1_'))).toBe(true);
  });

  test('counts what nobody who may has signed, and answers none of it (R7)', async () => {
    const refused = server.told('job-refused').length;
    const forged = server.envelope('restart-batch', {
      waveId: 'w',
      grants: [{ ...order('web-1'), byHand: true }],
    });
    await server.send(forged, newSigningKey());
    await server.send({ ...server.envelope('observe-host', {}), to: 'h2' });
    await until(() => agent?.status().junk === 2, 'both were counted');
    await until(
      () => server.told('audit-copied').some(({ record }) => record['action'] === 'junk-dropped'),
      'the junk was summed up',
    );
    expect(fake.events).toEqual([]);
    expect(server.told('job-refused')).toHaveLength(refused);
  });

  test('refuses, and answers, what is rightly signed but cannot be used (R6)', async () => {
    const uuid = randomUUID();
    await server.send(server.envelope('make-coffee', { grants: [{ grantId: 'grant-7' }] }, uuid));
    await until(() => server.told('job-refused').length > 0, 'it is refused');
    expect(server.told('job-refused')[0]).toMatchObject({ jobId: uuid, endsGrants: ['grant-7'] });
  });

  test('begins nothing while a package manager is at work or the service is paused', async () => {
    fake.atRest = { ok: false, reason: 'apt holds its lock' };
    const grant = { ...order('web-1'), byHand: true };
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(
      () => /apt holds its lock/.test(agent?.status().grants[0]?.waiting ?? ''),
      'it waits and says why',
    );
    expect(fake.events).toEqual([]);
    server.record = { pauses: [{ level: 'service', service: 'web' }] };
    fake.atRest = { ok: true, reason: '' };
    await until(() => finished(grant.grantId), 'it is refused');
    expect(server.told('restart-finished')[0]).toMatchObject({ outcome: 'refused' });
    expect(fake.events).toEqual([]);
  });

  test('tells what a grant waits for (L4), and again only when more than its figures change', async () => {
    await agent?.stop();
    agent = await run(3_000);
    let asked = 0;
    let reason = (): string => `apt-get (process ${(asked += 1)}) holds its lock`;
    Object.defineProperty(fake, 'atRest', { get: () => ({ ok: false, reason: reason() }) });
    const grant = { ...order('web-1'), byHand: true };
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    const told = (): string[] =>
      server.told('host-observed').flatMap(({ waits }) => waits.map((one) => one.reason));
    await until(() => /apt-get \(process \d+\) holds/.test(told().at(-1) ?? ''), 'it is told');
    expect(server.told('host-observed').at(-1)?.waits).toMatchObject([{ grantId: grant.grantId }]);
    // It asks again every second, and its heart beats every 3 s: the figures alone wait for that.
    const begin = performance.now();
    const before = told().length;
    await until(() => told().length > before, 'it is told once more');
    expect(performance.now() - begin).toBeGreaterThan(2_000);
    reason = () => 'dpkg holds its lock';
    await until(() => /dpkg holds/.test(told().at(-1) ?? ''), 'what it waits for now is told');
  });

  test("tells of an owner's stop and never starts that container (R25)", async () => {
    await until(() => server.told('host-observed').length > 0, 'it was observed');
    fake.ownerStops('web-2');
    await until(
      () =>
        server
          .told('host-observed')
          .some(({ containers }) =>
            containers.some(({ name, ownerStopped }) => name === 'web-2' && ownerStopped),
          ),
      'the stop is told',
    );
    expect(fake.events).toEqual([]);
  });

  test('tells of a container that died, and starts it where a grant says so: nothing is stopped (R25)', async () => {
    const told = () =>
      server
        .told('host-observed')
        .flatMap(({ containers }) => containers)
        .findLast(({ name }) => name === 'web-2');
    await until(() => told() !== undefined, 'it was observed');
    fake.dies('web-2');
    await until(() => told()?.died === true, 'its death is told');
    expect(told()).toMatchObject({ state: 'stopped', ownerStopped: false });
    const grant: GrantOrder = { ...order('web-1'), container: 'web-2', expect: { kind: 'died' } };
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(() => finished(grant.grantId), 'it is back');
    expect(server.told('restart-finished')[0]).toMatchObject({
      ...{
        outcome: 'done',
        verification: 'verified',
        container: { state: 'running', died: false },
      },
    });
    expect(fake.events).toEqual(['drain web-2', 'start web-2', 'undrain web-2 as ready']);
    fake.ownerStops('web-2');
    await until(() => told()?.ownerStopped === true, "its owner's stop is told as that");
    expect(fake.events.filter((event) => event === 'start web-2')).toHaveLength(1);
  });

  test('tells of a note on a container that is down, and forgets it once the container runs', async () => {
    const told = (name: string) =>
      server
        .told('host-observed')
        .flatMap(({ containers }) => containers)
        .findLast((view) => view.name === name);
    const note = { reason: 'disk replaced', by: 'op' };
    for (const name of ['web-1', 'web-2']) fake.parked.set(name, { name, ...note, atMs: 1 });
    fake.ownerStops('web-2');
    await until(() => (told('web-2')?.parked ?? null) !== null, 'the note is told');
    expect(told('web-2')).toMatchObject({ state: 'stopped', parked: note });
    await until(() => !fake.parked.has('web-1'), 'the note on the one that runs is taken away');
    expect(told('web-1')?.parked).toBeNull();
    fake.parked.delete('web-2');
    await until(() => told('web-2')?.parked === null, 'taking it back is told');
  });

  test('with nothing to drain goes through the same steps, and touches no load balancer', async () => {
    fake.drains = false;
    fake.replaceLibrary();
    const grant = order('web-1');
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(() => finished(grant.grantId), 'the restart is over');
    const [end] = server.told('restart-finished');
    expect(end?.outcome).toBe('done');
    expect(end?.steps.map(({ step }) => step)).toEqual([
      ...['journaled', 'draining', 'drained', 'stopping', 'stopped', 'started', 'healthy'],
      ...['undrained', 'done'],
    ]);
    // Of the steps that were one turn, the last alone is told.
    expect(server.told('restart-progress').map(({ step }) => step)).toEqual([
      ...['journaled', 'stopping', 'stopped', 'started', 'undrained'],
    ]);
    expect(fake.events).toEqual(['stop web-1', 'start web-1']);
  });

  test('upgrades, reports what became stale, and passes the gate (R29)', async () => {
    const uuid = randomUUID();
    const upgrade = {
      ...{ waveId: 'wave-2', grantId: randomUUID(), mode: 'packages', allowRemove: false },
      packages: [{ name: 'libgs-demo1', want: 'exact', version: '2' }],
      ...{ beginBefore: server.serverTime() + 30_000, deadline: server.serverTime() + 60_000 },
    };
    await server.send(server.envelope('host-upgrade', upgrade, uuid));
    await until(() => server.told('upgrade-finished').length > 0, 'the upgrade is over');
    expect(server.told('upgrade-finished')[0]).toMatchObject({
      ...{ jobId: uuid, ok: true, gate: { ok: true } },
    });
    expect(server.told('host-upgraded')[0]).toMatchObject({
      origin: { by: 'job', jobId: uuid, waveId: 'wave-2' },
      containers: [{ name: 'web-1' }, { name: 'web-2' }],
    });
  });

  test('asks the gate after a transaction of others, until what broke is mended (R29)', async () => {
    await until(
      () => agent?.status().containers.every(({ health }) => health === 'healthy') === true,
      'all are known as healthy',
    );
    packages.onOpen();
    Object.assign(fake.abilities, { network: false, dns: false });
    fake.runtimeProblem = 'lxc-ls exited with 1';
    fake.replaceLibrary();
    const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo', from: '1', to: '2' };
    await packages.onTransaction({ changes: [change] });
    await until(() => server.told('host-upgraded').length > 0, 'the transaction was told');
    expect(server.told('host-upgraded')[0]?.gate).toEqual({
      ok: false,
      reason:
        'the default route is gone; the DNS resolver does not answer any more; the container runtime does not answer: lxc-ls exited with 1',
    });
    const grant = order('web-1');
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(
      () => /host gate/.test(agent?.status().grants[0]?.waiting ?? ''),
      'the restart waits for it',
    );
    const said = (): string | undefined => server.told('host-observed').at(-1)?.gate?.reason;
    Object.assign(fake.abilities, { network: true, dns: true });
    fake.runtimeProblem = null;
    fake.healthy = false;
    await until(() => said()?.includes('not as healthy as before: web-2') === true, 'it is asked');
    // The one that is about to be restarted is judged by its restart.
    expect(said()).not.toContain('web-1');
    // An agent that is started anew goes on from there.
    await agent?.stop();
    agent = await run();
    fake.healthy = true;
    await until(() => said() === '', 'it passes');
    await until(() => finished(grant.grantId), 'the restart is over');
    expect(fake.events).toContain('stop web-1');
  });

  test('without knowing what worked before, the runtime alone must answer (R29)', async () => {
    Object.assign(fake.abilities, { network: false, dns: false });
    fake.healthy = false;
    const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo', from: '1', to: '2' };
    await packages.onTransaction({ changes: [change] });
    await until(() => server.told('host-upgraded').length > 0, 'the transaction was told');
    expect(server.told('host-upgraded')[0]?.gate).toEqual({ ok: true, reason: '' });
  });

  test('says in the chain of the host with which other settings it was started, once', async () => {
    const again = async (): Promise<void> => {
      await agent?.stop();
      agent = await run();
    };
    const told = (): unknown[] =>
      server
        .told('audit-copied')
        .filter(({ record }) => record['action'] === 'settings-changed')
        .map(({ record }) => record['details']);
    await again();
    settings = { 'agent.hostCap': { shown: '3', seal: 'b' } };
    await again();
    const changes = ['agent.hostCap: 2 → 3'];
    await until(() => told().length > 0, 'it is told');
    await again();
    const before = server.told('host-observed').length;
    await until(() => server.told('host-observed').length > before, 'it reports');
    expect(told()).toEqual([{ changes, summary: changes[0] }]);
  });

  test('brings up what it is restarting before it stops, and goes on after its next start', async () => {
    let release = (): void => undefined;
    fake.duringStop = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const grant = { ...order('web-1'), byHand: true };
    await server.send(server.envelope('restart-batch', { waveId: 'w', grants: [grant] }));
    await until(() => fake.events.includes('stop web-1'), 'it is being stopped');
    const stopping = agent?.stop();
    release();
    await stopping;
    agent = null;
    expect(fake.container('web-1').instance).not.toBeNull();
    agent = await run();
    await until(() => finished(grant.grantId), 'the restart is reported');
    expect(fake.events.filter((event) => event.startsWith('stop'))).toHaveLength(1);
    expect(server.told('restart-finished')[0]).toMatchObject({ outcome: 'done' });
  });
});
