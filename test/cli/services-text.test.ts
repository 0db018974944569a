import { expect, test } from '@jest/globals';
import { commandLine } from './command-line.ts';

const web = {
  ...{ name: 'web', members: 2, available: 2, floor: 1, limit: 1, unavailable: [] },
  ...{ stale: 0, shadowed: 0, ownFiles: [], mode: 'auto', conflicts: [] },
  optedOut: [{ container: 'h1/web-1', reason: 'sale', until: Date.parse('2027-03-01') }],
};
const status = {
  ...{ version: '0', leader: true, redis: 'answers', store: '', hosts: [], services: [web] },
  ...{ waves: [], pauses: [], freezes: [], grants: [], alerts: [] },
};

test.each(['services', 'status'])('%s names what is opted out, once', async (command) => {
  const line = await commandLine({ '/v1/services': [web], '/v1/status': status });
  const { out } = await line.type(command);
  await line.close();
  expect(out.split('h1/web-1 is opted out until 2027-03-01T00:00Z: sale')).toHaveLength(2);
});
