import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Download, Downloaded } from '../../../../src/producers/advisories/fetch/http.ts';
import type { HttpOptions } from '../../../../src/producers/advisories/fetch/http-options.ts';
import { httpDefaults } from '../../../../src/producers/advisories/fetch/http-options.ts';
import { createHttpClient } from '../../../../src/producers/advisories/fetch/http.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';

const now = new Date('2026-11-29T05:00:00Z');
let server: FeedServer;
let directory: string;
beforeEach(async () => {
  server = await startFeedServer();
  directory = await mkdtemp(join(tmpdir(), 'http-'));
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

const get = async (
  url: string,
  more: Partial<Download> = {},
  options: Partial<HttpOptions> = {},
  signal = new AbortController().signal,
): Promise<Downloaded> => {
  const client = createHttpClient({ ...httpDefaults, ...options }, () => now);
  try {
    return await client.download(
      { url, to: join(directory, 'file'), maxBytes: 1e6, ...more },
      signal,
    );
  } finally {
    client.close();
  }
};
const isThere = async (): Promise<boolean> =>
  access(join(directory, 'file')).then(
    () => true,
    () => false,
  );
const timeouts = { connectMs: 1000, idleMs: 200, totalMs: 5000 };

describe('a client for feeds', () => {
  test('writes what comes, and tells its checksum and state', async () => {
    server.publish('/a', 'text', { lastModified: 'Sun, 29 Nov 2026 04:00:00 GMT' });
    const came = await get(`${server.url}/a`);
    expect(came).toMatchObject({
      ...{ changed: true, bytes: 4 },
      sha256: '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1',
      validators: { lastModified: 'Sun, 29 Nov 2026 04:00:00 GMT' },
    });
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('text');
    expect(server.headers).toMatchObject({
      'user-agent': 'groundswell',
      'accept-encoding': 'identity',
    });
  });

  test('asks only for another state than the one it has', async () => {
    server.publish('/a', 'text');
    const first = await get(`${server.url}/a`);
    const unless = first.changed ? first.validators : { etag: null, lastModified: null };
    expect(await get(`${server.url}/a`, { unless })).toEqual({ changed: false });
    server.publish('/a', 'other');
    expect(await get(`${server.url}/a`, { unless })).toMatchObject({ changed: true, bytes: 5 });
  });

  test.each([
    [404, {}, 'it is not there (404)', null],
    [410, {}, 'it is gone for good (410)', null],
    [429, { 'retry-after': '120' }, 'the server asks for fewer requests (429)', 120_000],
    [
      ...([503, { 'retry-after': 'Sun, 29 Nov 2026 05:10:00 GMT' }] as const),
      ...(['the server is not available at the moment (503)', 600_000] as const),
    ],
    [503, { 'retry-after': 'soon' }, 'the server is not available at the moment (503)', null],
    [500, { 'retry-after': '99999999' }, 'the server failed (500)', 86_400_000],
    [304, {}, 'the server answered 304', null],
    [206, {}, 'the server answered 206', null],
  ])('tells %i apart from others', async (status, headers, reason, retryAfterMs) => {
    server.instead = (_, response) => Boolean(response.writeHead(status, headers).end('no'));
    await expect(get(`${server.url}/a`)).rejects.toMatchObject({
      ...{ name: 'FetchError', url: `${server.url}/a`, reason, status, retryAfterMs },
      message: `${server.url}/a: ${reason}`,
    });
    expect(await isThere()).toBe(false);
  });

  test('notices a connection that is dropped before the end, with and without a length', async () => {
    server.instead = (request, response) => {
      response.writeHead(200, request.url === '/long' ? { 'content-length': 1000 } : {});
      response.write('only so much', () => response.destroy());
      return true;
    };
    for (const path of ['/long', '/chunked'])
      await expect(get(`${server.url}${path}`)).rejects.toMatchObject({
        reason: 'the connection was dropped',
      });
    server.instead = (request) => Boolean(request.socket.destroy());
    await expect(get(`${server.url}/a`)).rejects.toMatchObject({
      reason: 'the connection was dropped',
    });
    expect(await isThere()).toBe(false);
  });

  test('takes a body from a server that closes the connection behind it, faster than it is written', async () => {
    const body = Buffer.alloc(8_000_000, 'x');
    server.instead = ({ url }, response) => {
      response.shouldKeepAlive = false;
      if (url === '/told') response.writeHead(200, { 'content-length': body.length });
      // As HTTP/1.0 has it: the end of the connection is that of the body.
      if (url === '/plain') response.writeHead(200, { 'transfer-encoding': 'identity' });
      return Boolean(response.end(body));
    };
    for (const path of ['/told', '/plain', '/chunked'])
      expect(await get(`${server.url}${path}`, { maxBytes: 1e7 })).toMatchObject({
        bytes: body.length,
      });
  });

  test('asks once more where a connection that was kept has been closed meanwhile', async () => {
    const used = new Set<unknown>();
    server.publish('/a', 'text');
    server.instead = ({ socket }) => {
      if (used.has(socket)) return Boolean(socket.resetAndDestroy());
      used.add(socket);
      return false;
    };
    const client = createHttpClient(httpDefaults, () => now);
    const download = { url: `${server.url}/a`, to: join(directory, 'file'), maxBytes: 100 };
    const { signal } = new AbortController();
    for (let time = 0; time < 3; time += 1)
      expect(await client.download(download, signal)).toMatchObject({ bytes: 4 });
    expect(used.size).toBe(3);
    client.close();
  });

  test('takes no more than the limit, whether or not the length was told', async () => {
    let sent = 0;
    server.instead = (request, response) => {
      if (request.url === '/told') response.writeHead(200, { 'content-length': 2000 });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(500))) sent += 500;
      };
      response.on('drain', more);
      more();
      return true;
    };
    for (const path of ['/told', '/endless'])
      await expect(get(`${server.url}${path}`, { maxBytes: 1000 })).rejects.toMatchObject({
        reason: 'it has more than 1000 bytes',
      });
    expect(sent).toBeLessThan(10_000_000);
    expect(await isThere()).toBe(false);
  });

  test('does not wait for a server that says nothing, or nothing more', async () => {
    server.instead = (request, response) => {
      if (request.url === '/begun') response.writeHead(200, { 'content-length': 10 }).write('a');
      return true;
    };
    await expect(get(`${server.url}/`, {}, { timeouts })).rejects.toMatchObject({
      reason: 'the server did not answer in time',
    });
    await expect(get(`${server.url}/begun`, {}, { timeouts })).rejects.toMatchObject({
      reason: 'the server stopped sending',
    });
  });

  test('ends one that drips on and on', async () => {
    server.instead = (_, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    await expect(
      get(`${server.url}/`, {}, { timeouts: { ...timeouts, totalMs: 300 } }),
    ).rejects.toMatchObject({ reason: 'it did not come within 0 s' });
    expect(await isThere()).toBe(false);
  });

  test('ends when it is asked to', async () => {
    const ending = new AbortController();
    server.instead = (_, response) => {
      response.write('a', () => ending.abort(new Error('enough')));
      return true;
    };
    await expect(get(`${server.url}/`, {}, {}, ending.signal)).rejects.toThrow('enough');
    expect(await isThere()).toBe(false);
  });

  test('follows redirects, five of them, and takes no password along to another server', async () => {
    const other = await startFeedServer();
    other.publish('/a', 'moved');
    server.instead = ({ url = '' }, response) => {
      const left = Number(url.slice(1));
      const location = left > 0 ? `/${left - 1}` : `${other.url}/a`;
      return Boolean(response.writeHead(302, { location }).end());
    };
    const [, host = ''] = server.url.split('//');
    expect(await get(`http://me:s%C3%A9cret@${host}/4`)).toMatchObject({ bytes: 5 });
    expect(server.headers.authorization).toBe(
      `Basic ${Buffer.from('me:sécret').toString('base64')}`,
    );
    expect(other.headers.authorization).toBeUndefined();
    await expect(get(`${server.url}/5`)).rejects.toMatchObject({
      reason: 'it is redirected more than 5 times',
    });
    await other.close();
  });

  test.each([
    ['file:///etc/passwd', 'it is redirected to file:'],
    ['', 'it is redirected to no address'],
    ['http://[', 'it is redirected to no address'],
  ])('does not follow a redirect to %p', async (location, reason) => {
    server.instead = (_, response) =>
      Boolean(response.writeHead(301, location === '' ? {} : { location }).end());
    await expect(get(`${server.url}/`)).rejects.toMatchObject({ reason });
  });

  test('shows no password, and no address that is none', async () => {
    const [, host = ''] = server.url.split('//');
    await expect(get(`http://me:secret@${host}/a`)).rejects.toMatchObject({
      message: `http://${host}/a: it is not there (404)`,
    });
    await expect(get('ftp://me:secret@x/a')).rejects.toMatchObject({
      message: 'ftp://***@x/a: only http: and https: are fetched',
    });
    await expect(get('nowhere\u001b[2J')).rejects.toMatchObject({
      message: '"nowhere\\u001b[2J": it is no URL',
    });
  });

  test('tells of a server that is not there', async () => {
    const gone = await startFeedServer();
    await gone.close();
    await expect(get(gone.url)).rejects.toMatchObject({
      reason: 'nobody listens there (ECONNREFUSED)',
    });
  });

  test('takes a text packed where that is good, and no encoding that nobody asked for', async () => {
    server.instead = (request, response) => {
      const encoding = request.url === '/br' ? 'br' : 'gzip';
      return Boolean(
        response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('text')),
      );
    };
    await get(`${server.url}/a`, { mayBePacked: true });
    expect(server.headers['accept-encoding']).toBe('gzip');
    expect(await readFile(join(directory, 'file'))).toEqual(gzipSync('text'));
    await expect(get(`${server.url}/br`)).rejects.toMatchObject({
      reason: 'it comes in an encoding that nobody asked for (br)',
    });
  });
});
