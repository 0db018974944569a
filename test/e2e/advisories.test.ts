import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callApi } from '../../src/api/client.ts';
import { join } from 'node:path';
import type { AuditRow } from '../../src/core/coordinator/api-rows.ts';
import type {
  AdvisoryDetail,
  AdvisoryLine,
  FeedView,
} from '../../src/core/advisories/advisory-views.ts';
import { askVersion } from '../bed/ask.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { recordsOfWave, waveOver, waveWhen } from '../bed/scene-waves.ts';
import { createScene, groundswell } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const feed = '/srv/feeds/osv';
const exploited = '/srv/feeds/kev.json';
const soon = { deadlineMs: 60_000, everyMs: 50 };

/** What an operator would write: by itself what is exploited, on approval all else. */
const configuration = `
agent:
  refreshSeconds: 2
feeds:
  - { name: osv, source: osv, path: ${feed} }
  - { source: kev, path: ${exploited} }
platforms:
  PLATFORM:
    policy:
      - { exploited: true, mode: auto }
      - { mode: approve }
`;

describe('an advisory in a feed', () => {
  let scene: Scene;
  let platform: { id: string; release: string };

  const write = (path: string, value: unknown): Promise<void> =>
    scene.host.writeFile(path, JSON.stringify(value), 0o644);

  /** An advisory about a source package of the bed, as OSV has it. */
  const advise = async (id: string, source: string, fixed: string, cve: string): Promise<void> => {
    const release = platform.id === 'debian' ? platform.release : `${platform.release}:LTS`;
    const ecosystem = `${platform.id === 'debian' ? 'Debian' : 'Ubuntu'}:${release}`;
    await write(`${feed}/${id}.json`, {
      ...{ schema_version: '1.7.0', id, summary: `${source} - security update`, upstream: [cve] },
      ...{ published: '2026-11-01T00:00:00Z', modified: '2026-11-01T00:00:00Z' },
      affected: [
        {
          package: { ecosystem, name: source },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
        },
      ],
    });
    await poll('osv');
  };

  const poll = async (name: string): Promise<void> => {
    const socket = join(scene.host.rootDirectory, 'run/groundswell/api.sock');
    const body = { actor: 'test', change: 'poll' };
    await callApi(socket, 'POST', `/v1/feeds/${name}`, body);
  };

  const detail = async (id: string): Promise<AdvisoryDetail | null> =>
    ((await scene.get(`/v1/advisories/${id}`).catch(() => [])) as AdvisoryDetail[])[0] ?? null;

  const versions = (): Promise<string[]> =>
    Promise.all(
      (scene.containers.get('web') ?? []).map(async (one) => (await askVersion(one)).library),
    );

  const audit = async (wave: string): Promise<Record<string, unknown>[]> =>
    ((await scene.get(`/v1/audit?wave=${wave}&limit=1000`)) as AuditRow[]).map(
      ({ record }) => record,
    );

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/advisories`,
      hostNumber: 166,
      projectDirectory: process.cwd(),
      services: { web: { count: 3, maxUnavailable: 1 } },
      beforeUp: async (_, host) => {
        const text = await host.readFile('/etc/os-release');
        const field = (name: string): string =>
          new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? '';
        platform = { id: field('ID'), release: field('VERSION_ID') };
        await host.must(['mkdir', '-p', feed, '/etc/groundswell/config.d']);
        await host.writeFile(exploited, JSON.stringify({ vulnerabilities: [] }), 0o644);
        const name = `${platform.id}-${platform.release}`;
        const yaml = configuration.replace('PLATFORM', name);
        await host.writeFile('/etc/groundswell/config.d/advisories.yaml', yaml, 0o600);
        return {};
      },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  test('that is exploited: its wave begins by itself, every container runs the fix, and the record names the advisory', async () => {
    await scene.bed.publish({ 'libgs-demo1': u1 });
    await write(exploited, { vulnerabilities: [{ cveID: 'CVE-2026-9001' }] });
    await poll('kev');
    await advise('DSA-9001-1', 'gs-demo', u1, 'CVE-2026-9001');
    const wave = await waveOver(scene, 'DSA-9001-1');
    expect(wave).toMatchObject({ state: 'finished', approvedBy: null, counts: { verified: 3 } });
    expect(await versions()).toEqual([u1, u1, u1]);
    const records = await audit(wave.id);
    const granted = records.filter(({ action }) => action === 'granted');
    expect(granted.map(({ details }) => details)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ advisories: ['DSA-9001-1'] })),
    );
    expect(await recordsOfWave(scene, wave.id, 3)).toHaveLength(6);
    const known = await waitUntil(
      'the host is known to have the fix',
      async () => {
        const one = await detail('DSA-9001-1');
        return one?.affected[0]?.state === 'applied' ? one : null;
      },
      soon,
    );
    expect(known).toMatchObject({ exploited: true, hosts: 0 });
    expect(known.containers).toEqual([{ host: 'h166', count: 3, stale: [] }]);
  }, 180_000);

  test('whose fix no mirror of the host has waits visibly, and its wave begins by itself once it is there, on approval', async () => {
    await advise('DSA-9002-1', 'gs-demo', u2, 'CVE-2026-9002');
    const lines = await waitUntil(
      'the advisory is known to concern the host',
      async () => {
        const all = (await scene.get('/v1/advisories')) as AdvisoryLine[];
        const known = all.find(({ id }) => id === 'DSA-9002-1');
        return known?.decisions[0]?.startsWith('published') === true ? all : null;
      },
      soon,
    );
    expect(lines).toMatchObject([
      {
        ...{ id: 'DSA-9002-1', packages: ['libgs-demo1'], hosts: 1, notInMirror: 1 },
        decisions: ['published, not in the mirror of this host yet'],
      },
    ]);
    await scene.bed.publish({ 'libgs-demo1': u2 });
    const waiting = await waveWhen(
      scene,
      'DSA-9002-1',
      'waits for approval',
      ({ state }) => state === 'waiting for approval',
    );
    expect(await versions()).toEqual([u1, u1, u1]);
    expect(await scene.get('/v1/advisories/DSA-9002-1/plan')).toMatchObject({
      hosts: [
        {
          ...{ host: 'h166', decisions: [`in wave ${waiting.id}`], notOffered: [] },
          upgrades: [{ package: 'libgs-demo1', from: u1, to: u2 }],
          containers: [{ service: 'web' }, { service: 'web' }, { service: 'web' }],
        },
      ],
    });
    await scene.act({ action: 'approve', waveId: waiting.id });
    const wave = await waveOver(scene, waiting.id);
    expect(wave).toMatchObject({ approvedBy: 'quickstart', counts: { verified: 3 } });
    expect(await versions()).toEqual([u2, u2, u2]);
    const records = await audit(wave.id);
    for (const [named, count] of [
      ['upgrade-ordered', 1],
      ['granted', 3],
    ] as const)
      expect(records.filter(({ action }) => action === named)).toMatchObject(
        Array.from({ length: count }, () => ({ details: { advisories: ['DSA-9002-1'] } })),
      );
  }, 180_000);

  test('the same by itself, where policy is auto: the record names the advisory', async () => {
    const cves = ['CVE-2026-9001', 'CVE-2026-9003'];
    await write(exploited, { vulnerabilities: cves.map((cveID) => ({ cveID })) });
    await poll('kev');
    await advise('DSA-9003-1', 'gs-extra', u1, 'CVE-2026-9003');
    await waitUntil(
      'the advisory waits for its fix',
      async () => {
        const all = (await scene.get('/v1/advisories')) as AdvisoryLine[];
        return all.find(({ id }) => id === 'DSA-9003-1')?.notInMirror === 1;
      },
      soon,
    );
    await scene.bed.publish({ 'libgs-extra1': u1 });
    const wave = await waveOver(scene, 'DSA-9003-1');
    expect(wave).toMatchObject({ state: 'finished', approvedBy: null });
    const has = ['dpkg-query', '-W', '-f', '${Version}', 'libgs-extra1'];
    expect(await scene.host.must(has)).toBe(u1);
    const ordered = (await audit(wave.id)).filter(({ action }) => action === 'upgrade-ordered');
    expect(ordered).toMatchObject([{ details: { advisories: ['DSA-9003-1'] } }]);
  }, 180_000);

  test('and how feeds and packages stand is what the commands say', async () => {
    const feeds = (await scene.get('/v1/feeds')) as FeedView[];
    expect(feeds).toMatchObject([
      { name: 'osv', records: 3, problemCount: 0, error: null, silent: false },
      { name: 'kev', records: 2, error: null },
    ]);
    const said = async (...words: string[]): Promise<string> =>
      scene.host.must([...groundswell, ...words]);
    expect(await said('feeds')).toMatch(/^osv +ok /m);
    expect(await said('advisory', 'DSA-9002-1')).toContain('0 to be upgraded, 1 fixed already');
    expect(await said('advisories')).toContain('no host lacks the fix');
    const reported = await said('inventory', '--host', 'h166', '--json');
    const own = await said('inventory', '--json');
    expect(JSON.parse(reported)).toEqual(JSON.parse(own));
  }, 60_000);
});
