import { expect, test } from '@jest/globals';
import { createKnowledge } from '../../../src/workers/agent/knowledge.ts';
import { drainTargetOf } from '../../../src/workers/agent/work.ts';
import { createFakeHost } from '../../integration/agent/fake-host.ts';

test('what is drained has the address of its configuration, else what it has in its network, else none', async () => {
  const { host } = createFakeHost(['web-1']);
  const [configured] = await host.runtime.list();
  if (configured === undefined) throw new Error('no container');
  const knowledge = createKnowledge(host.scan, () => null);
  const target = async (address: string | null, addressOf: () => Promise<string | null>) =>
    (
      await drainTargetOf(
        {
          host: { ...host, runtime: { ...host.runtime, addressOf } },
          knowledge: { ...knowledge, container: () => ({ ...configured, address }) },
        },
        'web-1',
      )
    ).address;
  const asked = () => Promise.resolve('10.0.3.17');
  expect(await target('10.0.0.2', asked)).toBe('10.0.0.2');
  expect(await target(null, asked)).toBe('10.0.3.17');
  expect(await target(null, () => Promise.reject(new Error('no monitor')))).toBeNull();
});
