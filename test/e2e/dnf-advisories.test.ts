import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callApi } from '../../src/api/client.ts';
import type { AdvisoryDetail } from '../../src/core/advisories/advisory-views.ts';
import type { AuditRow } from '../../src/core/coordinator/api-rows.ts';
import { askVersion } from '../bed/ask.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { demoAdvisory } from '../bed/dnf-packages.ts';
import { waveOver } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';

const fixed = '1.0-2.el9';
const id = demoAdvisory('libgs-demo1', fixed);

/** The repository is a feed, too: its updateinfo.xml. */
const configuration = `
agent:
  refreshSeconds: 2
feeds:
  - { name: bed, source: updateinfo, path: /bedrpms, platform: almalinux-9 }
platforms:
  almalinux-9:
    policy:
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
        await host.must(['mkdir', '-p', '/etc/groundswell/config.d']);
        await host.writeFile('/etc/groundswell/config.d/advisories.yaml', configuration, 0o600);
        return {};
      },
    });
  }, 400_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  test('its wave begins by itself, every container runs the fix, and the record names the advisory', async () => {
    await scene.bed.publish({ 'libgs-demo1': fixed });
    const socket = join(scene.host.rootDirectory, 'run/groundswell/api.sock');
    await callApi(socket, 'POST', '/v1/feeds/bed', { actor: 'test', change: 'poll' });
    const wave = await waveOver(scene, id);
    expect(wave).toMatchObject({ state: 'finished', approvedBy: null, counts: { verified: 3 } });
    const containers = scene.containers.get('web') ?? [];
    for (const one of containers) expect((await askVersion(one)).library).toBe(fixed);
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
});
