import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callApi } from '../../src/api/client.ts';
import type { AdvisoryDetail, AdvisoryLine } from '../../src/core/advisories/advisory-views.ts';
import type { AuditRow } from '../../src/core/coordinator/api-rows.ts';
import { askVersion } from '../bed/ask.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { demoAdvisory } from '../bed/dnf-packages.ts';
import { waveOver, waveWhen } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';

const fixed = '1.0-2.el9';
const id = demoAdvisory('libgs-demo1', fixed);

/** What the distributor publishes before the repository has it. */
const later = '1.0-3.el9';
const laterId = 'ALSA-2026:9002';
const feed = '/srv/feeds/osv';

/** The repository is a feed, too: its updateinfo.xml. What is critical begins on approval, all else by itself. */
const configuration = `
agent:
  refreshSeconds: 2
feeds:
  - { name: bed, source: updateinfo, path: /bedrpms, platform: almalinux-9 }
  - { name: osv, source: osv, path: ${feed} }
platforms:
  almalinux-9:
    policy:
      - { severity: [critical], mode: approve }
      - { mode: auto }
`;

describe('an advisory of an rpm repository', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/dnf-advisories`,
      hostNumber: 162,
      projectDirectory: process.cwd(),
      packages: 'dnf',
      services: { web: { count: 3, maxUnavailable: 1 } },
      beforeUp: async (_, host) => {
        await host.must(['mkdir', '-p', feed, '/etc/groundswell/config.d']);
        await host.writeFile('/etc/groundswell/config.d/advisories.yaml', configuration, 0o600);
        return {};
      },
    });
  }, 400_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const poll = async (name: string): Promise<void> => {
    const socket = join(scene.host.rootDirectory, 'run/groundswell/api.sock');
    await callApi(socket, 'POST', `/v1/feeds/${name}`, { actor: 'test', change: 'poll' });
  };

  const versions = (): Promise<string[]> =>
    Promise.all(
      (scene.containers.get('web') ?? []).map(async (one) => (await askVersion(one)).library),
    );

  test('its wave begins by itself, every container runs the fix, and the record names the advisory', async () => {
    await scene.bed.publish({ 'libgs-demo1': fixed });
    await poll('bed');
    const wave = await waveOver(scene, id);
    expect(wave).toMatchObject({ state: 'finished', approvedBy: null, counts: { verified: 3 } });
    expect(await versions()).toEqual([fixed, fixed, fixed]);
    const rows = (await scene.get(`/v1/audit?wave=${wave.id}&limit=1000`)) as AuditRow[];
    const granted = rows.filter(({ record }) => record['action'] === 'granted');
    expect(granted.map(({ record }) => record['details'])).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ advisories: [id] })),
    );
    await waitUntil(
      'the host is known to have the fix',
      async () => {
        const [one] = (await scene.get(`/v1/advisories/${id}`)) as AdvisoryDetail[];
        return one?.affected[0]?.state === 'applied';
      },
      { deadlineMs: 60_000, everyMs: 50 },
    );
  }, 240_000);

  test('whose fix the repository does not have waits visibly, and its wave begins by itself once it is there, on approval', async () => {
    const advisory = {
      ...{ schema_version: '1.7.0', id: laterId, summary: 'Critical: gs-demo security update' },
      ...{ published: '2026-11-01T00:00:00Z', modified: '2026-11-01T00:00:00Z' },
      affected: [
        {
          package: { ecosystem: 'AlmaLinux:9', name: 'libgs-demo1' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: later }] }],
        },
      ],
    };
    await scene.host.writeFile(`${feed}/${laterId}.json`, JSON.stringify(advisory), 0o644);
    await poll('osv');
    const line = await waitUntil(
      'the advisory is known to concern the host',
      async () => {
        const all = (await scene.get('/v1/advisories')) as AdvisoryLine[];
        const known = all.find((one) => one.id === laterId);
        return known?.decisions[0]?.startsWith('published') === true ? known : null;
      },
      { deadlineMs: 60_000, everyMs: 50 },
    );
    expect(line).toMatchObject({
      ...{ packages: ['libgs-demo1'], severity: 'critical', hosts: 1, notInMirror: 1 },
      decisions: ['published, not in the mirror of this host yet'],
    });
    await scene.bed.publish({ 'libgs-demo1': later });
    const waiting = await waveWhen(
      scene,
      laterId,
      'waits for approval',
      ({ state }) => state === 'waiting for approval',
    );
    expect(await versions()).toEqual([fixed, fixed, fixed]);
    expect(await scene.get(`/v1/advisories/${laterId}/plan`)).toMatchObject({
      hosts: [
        {
          ...{ host: 'h162', decisions: [`in wave ${waiting.id}`], notOffered: [] },
          upgrades: [{ package: 'libgs-demo1', from: fixed, to: later }],
        },
      ],
    });
    await scene.act({ action: 'approve', waveId: waiting.id });
    const wave = await waveOver(scene, waiting.id);
    expect(wave).toMatchObject({ approvedBy: 'quickstart', counts: { verified: 3 } });
    expect(await versions()).toEqual([later, later, later]);
  }, 240_000);
});
