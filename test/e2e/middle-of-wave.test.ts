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

/** What a container made before Groundswell came can read of its files, by name. */
const readInside = async (name: string): Promise<string[]> => {
  const find = ['find', '/etc/groundswell', '/var/lib/groundswell', '-type', 'f', '-size', '+0'];
  const read = ['-exec', 'sh', '-c', 'head -c1 "$1" >/dev/null && echo "$1"', 'sh', '{}', ';'];
  return (await scene.host.run(['lxc-attach', '-n', name, '--', ...find, ...read])).stdout
    .split('\n')
    .filter(Boolean);
};

test('a package that containers map, changed while they are restarted, makes none of them fail (R30), and our files are hidden from them', async () => {
  const before = await readInside('api-01');
  for (const secret of [/keys\.json$/, /journal\.sqlite$/, /store\.sqlite$/])
    expect(before).toContainEqual(expect.stringMatching(secret));
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
  for (const name of ['api-01', 'api-02']) expect(await readInside(name)).toEqual([]);
}, 180_000);
