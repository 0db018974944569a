import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { waveOver, waveWhen, waves } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';

const u1 = '1.0-1+deb12u1';

let scene: Scene;

beforeAll(async () => {
  scene = await createScene({
    directory: `${TEST_BEDS}/middle`,
    hostNumber: 133,
    projectDirectory: process.cwd(),
    // So long healthy before it is looked into that a package can be changed meanwhile.
    services: { api: { count: 2, maxUnavailable: 2, minHealthyTimeMs: 4_000 } },
  });
}, 300_000);

afterAll(async () => {
  await scene.dispose();
}, 60_000);

test('a package that containers map, changed while they are restarted, makes none of them fail (R30)', async () => {
  await scene.bed.publish({ 'libgs-demo1': u1 });
  await scene.host.must(['apt-get', '-q', 'update']);
  const { id } = await scene.act({
    ...{ action: 'restart', what: 'api' },
    containers: ['h133/api-01', 'h133/api-02'],
  });
  // Started over the old library, and not looked into yet.
  await waveWhen(scene, id ?? '', 'has both started', ({ members }) =>
    members.every(({ step }) => step === 'started'),
  );
  await scene.host.must(['apt-get', '-qy', 'install', `libgs-demo1=${u1}`]);
  const byHand = await waveOver(scene, id ?? '');
  expect(byHand).toMatchObject({ failures: 0, counts: { verified: 2 } });
  expect(byHand.members.map(({ attempts }) => attempts)).toEqual([2, 2]);
  const found = await waves(scene);
  expect(found.map(({ cause, failures, pausedBy }) => [cause, failures, pausedBy])).toEqual([
    ['api, asked for by quickstart', 0, null],
    [`gs-demo ${u1}`, 0, null],
  ]);
}, 180_000);
