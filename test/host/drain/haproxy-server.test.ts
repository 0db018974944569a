import { expect, test } from '@jest/globals';
import { setReady } from '../../../src/host/drain/haproxy-server.ts';

test.each([
  [true, ['set server web/web-1 state ready', 'set server web/web-1 health up']],
  // HAProxy's own checks decide.
  [false, ['set server web/web-1 state ready']],
])('a server that is put back, healthy: %s, is told no more than that', async (healthy, told) => {
  const said: string[] = [];
  const ask = (_socket: string, command: string): Promise<string> => {
    said.push(command);
    return Promise.resolve('');
  };
  await setReady({ socket: '/s', backend: 'web', server: 'web-1' }, healthy, { ask });
  expect(said).toEqual(told);
});
