import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { callApi } from '../../src/api/client.ts';
import { listenOnSocket } from '../../src/api/server.ts';

let directory: string;
let app: FastifyInstance;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-api-'));
  app = fastify();
  app.get('/v1/answer', () => ({ answer: 42 }));
});
afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

const isRoot = process.getuid?.() === 0;
/** A group that we are not in, where we may give files to any; else our own. */
const group = isRoot ? 4_242 : (process.getgid?.() ?? 0);

test('the socket is for its owner and one group, whatever the umask says', async () => {
  const path = join(directory, 'api.sock');
  const before = process.umask(0);
  try {
    await listenOnSocket(app, path, isRoot ? group : null);
  } finally {
    process.umask(before);
  }
  const { mode, uid, gid } = await stat(path);
  expect([(mode & 0o777).toString(8), uid, gid]).toEqual(['660', process.getuid?.(), group]);
});

test('one that a dead server left is replaced', async () => {
  const path = join(directory, 'api.sock');
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  // Closing would take the file away: it is moved aside and put back, as a kill leaves it.
  await rename(path, `${path}.left`);
  dead.close();
  await rename(`${path}.left`, path);
  await expect(callApi(path, 'GET', '/v1/answer')).rejects.toThrow();
  await listenOnSocket(app, path, null);
  expect(await callApi(path, 'GET', '/v1/answer')).toEqual({ answer: 42 });
});
