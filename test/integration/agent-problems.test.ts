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
