import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import type { BedContainer } from '../../bed/containers.ts';
import type { Haproxy } from '../../bed/haproxy.ts';
import { watchContainers, watchHaproxy } from '../../bed/watch-availability.ts';

/** Answers every path with 200, on a thread of its own. */
const service = `
const { parentPort } = require('node:worker_threads');
const server = require('node:http').createServer((_, answer) => answer.end('ok'));
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

const container = (of: string, port: number): BedContainer =>
  ({ name: of, service: of, address: '127.0.0.1', port }) as BedContainer;

/** A port on which nobody listens. */
const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

test('a watch goes on looking while the thread that began it stands still', async () => {
  const up = new Worker(service, { eval: true });
  try {
    const [port] = (await once(up, 'message')) as [number];
    const watch = await watchContainers([
      container('web', port),
      container('api', port),
      container('api', await closedPort()),
    ]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    const seen = await watch.stop();
    expect(seen.lowest).toEqual({ web: 1, api: 1 });
    // One look every 20 ms; without a thread of its own there would be one or two.
    expect(seen.samples).toBeGreaterThan(10);
  } finally {
    await up.terminate();
  }
});

test.each([
  ['answers with another status', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', { web: 0 }],
  // Stopped between the question and its answer: neither up nor down.
  ['closes the connection without an answer', '', {}],
])('one that %s', async (_, answer, lowest) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const watch = await watchContainers([container('web', (server.address() as AddressInfo).port)]);
  await once(server, 'connection');
  expect((await watch.stop()).lowest).toEqual(lowest);
  server.close();
});

test('a look that fails is heard of at the end', async () => {
  const watch = await watchHaproxy({ socketPath: '/nowhere/haproxy' } as Haproxy);
  await expect(watch.stop()).rejects.toThrow('ENOENT');
});
