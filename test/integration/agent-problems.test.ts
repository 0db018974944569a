import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntil } from '../bed/wait-until.ts';
import { wait } from './fleet/machines.ts';
import { startServerAndAgents } from './fleet/server-and-agents.ts';
import type { ServerAndAgents } from './fleet/server-and-agents.ts';

let rig: ServerAndAgents;
beforeEach(async () => {
  rig = await startServerAndAgents();
});
afterEach(() => rig.dispose());

test('what an agent cannot do is shown by the server', async () => {
  await rig.enrol('h1', ['web-1']);
  await rig.untilKnown();
  const { fake } = rig.machines.get('h1') ?? {};
  if (fake === undefined) throw new Error('no h1');
  fake.host.facts = () => Promise.reject(new Error('/etc/os-release: permission denied'));
  const texts = await waitUntil(
    'it is shown',
    async () => {
      const { alerts } = await rig.status();
      return alerts.length > 0 && alerts.map(({ text }) => text);
    },
    wait,
  );
  expect(texts).toEqual([
    'the agent of h1 says: facts about the host cannot be read: /etc/os-release: permission denied',
  ]);
}, 60_000);

test('a postinst that hangs is shown by the server as long as it does, and no longer', async () => {
  await rig.enrol('h1', ['web-1']);
  await rig.untilKnown();
  const { fake } = rig.machines.get('h1') ?? {};
  if (fake === undefined) throw new Error('no h1');
  fake.atRest = { ok: false, reason: 'apt-get (pid 812) holds /var/lib/dpkg/lock-frontend' };
  const script = { what: 'the postinst of tzdata', pid: 930, beganAtMs: Date.now() - 3_600_000 };
  fake.atWork = { pid: 812, command: 'apt-get', script };
  const texts = (): Promise<string[]> =>
    rig.status().then(({ alerts }) => alerts.map(({ text }) => text));
  await waitUntil(
    'it is shown',
    async () =>
      (await texts()).some(
        (text) =>
          text.startsWith(
            'the agent of h1 says: the package manager has been at work for more than 10 min: apt-get (pid 812), since ',
          ) && text.includes(' in the postinst of tzdata (pid 930)'),
      ),
    wait,
  );
  fake.atRest = { ok: true, reason: '' };
  fake.atWork = null;
  await waitUntil('it is over', async () => (await texts()).length === 0, wait);
}, 60_000);
