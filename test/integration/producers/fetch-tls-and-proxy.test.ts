import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpOptions } from '../../../src/producers/advisories/fetch/http-options.ts';
import { httpDefaults } from '../../../src/producers/advisories/fetch/http-options.ts';
import { createHttpClient } from '../../../src/producers/advisories/fetch/http.ts';
import type { FeedServer } from './fetch/feed-server.ts';
import { startFeedServer } from './fetch/feed-server.ts';
import type { Certificates } from './certificates.ts';
import { createCertificates } from './certificates.ts';
import type { Proxy } from './proxy.ts';
import { startProxy } from './proxy.ts';

let certificates: Certificates;
let proxy: Proxy;
let plain: FeedServer;
let secure: FeedServer;
let directory: string;
beforeAll(() => {
  certificates = createCertificates();
});
afterAll(() => certificates.remove());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  proxy = await startProxy();
  plain = await startFeedServer();
  secure = await startFeedServer(certificates.issue('127.0.0.1'));
  for (const server of [plain, secure]) server.publish('/a', 'text');
});
afterEach(async () => {
  for (const { close } of [plain, secure, proxy]) await close();
  await rm(directory, { recursive: true });
});

const get = async (url: string, options: Partial<HttpOptions> = {}): Promise<string> => {
  const client = createHttpClient({ ...httpDefaults, ...options }, () => new Date());
  const to = join(directory, 'file');
  try {
    await client.download({ url, to, maxBytes: 1000 }, new AbortController().signal);
    return await readFile(to, 'utf8');
  } finally {
    client.close();
  }
};
const withPassword = (): string => proxy.url.replace('//', '//me:secret@');

describe('a protected connection', () => {
  test('is made to a server of a CA that is trusted, and to no other', async () => {
    expect(await get(`${secure.url}/a`, { ca: [certificates.ca] })).toBe('text');
    await expect(get(`${secure.url}/a`)).rejects.toMatchObject({
      reason: "the server's certificate is of a CA that is not trusted",
    });
    const other = createCertificates();
    await expect(get(`${secure.url}/a`, { ca: [other.ca] })).rejects.toMatchObject({
      reason: "the server's certificate is of a CA that is not trusted",
    });
    other.remove();
  });

  test('is not made to one of another name, straight or through a proxy', async () => {
    const named = await startFeedServer(certificates.issue('mirror.example'));
    for (const more of [{}, { proxy: { url: withPassword() } }])
      await expect(get(`${named.url}/a`, { ca: [certificates.ca], ...more })).rejects.toMatchObject(
        { reason: "the server's certificate is for another name" },
      );
    await named.close();
  });

  test('is not made to a server that knows of none', async () => {
    await expect(get(plain.url.replace('http', 'https'))).rejects.toMatchObject({
      reason: expect.stringMatching(/^no protected connection could be made \(\w+\)$/) as unknown,
    });
  });

  test('is not left by a redirect', async () => {
    secure.instead = (_, response) =>
      Boolean(response.writeHead(302, { location: `${plain.url}/a` }).end());
    await expect(get(`${secure.url}/a`, { ca: [certificates.ca] })).rejects.toMatchObject({
      reason: 'it is redirected from https to http, which is not followed',
    });
    expect(plain.asked).toEqual([]);
    // The other way round it is.
    secure.instead = null;
    plain.instead = (_, response) =>
      Boolean(response.writeHead(302, { location: `${secure.url}/a` }).end());
    expect(await get(`${plain.url}/a`, { ca: [certificates.ca] })).toBe('text');
  });
});

describe('a proxy', () => {
  test('is asked for a way to a server of https, and for the file of one of http', async () => {
    const options = { proxy: { url: withPassword() }, ca: [certificates.ca] };
    expect(await get(`${secure.url}/a`, options)).toBe('text');
    expect(await get(`${plain.url}/a`, options)).toBe('text');
    expect(proxy.asked).toEqual([`CONNECT ${secure.url.slice(8)}`, `GET ${plain.url}/a`]);
  });

  test('is not asked for hosts that are excepted', async () => {
    const options = {
      proxy: { url: withPassword(), except: ['127.0.0.1'] },
      ca: [certificates.ca],
    };
    expect(await get(`${secure.url}/a`, options)).toBe('text');
    expect(await get(`${plain.url}/a`, options)).toBe('text');
    expect(proxy.asked).toEqual([]);
  });

  test('that refuses, or is not there, is told of', async () => {
    const options = { proxy: { url: proxy.url }, ca: [certificates.ca] };
    await expect(get(`${secure.url}/a`, options)).rejects.toMatchObject({
      reason: 'the proxy wants a user name and password (407)',
    });
    await expect(get(`${plain.url}/a`, options)).rejects.toMatchObject({
      reason: 'the proxy wants a user name and password (407)',
    });
    await proxy.close();
    await expect(get(`${secure.url}/a`, options)).rejects.toMatchObject({
      reason: 'nobody listens there (ECONNREFUSED)',
    });
    proxy = await startProxy();
  });
});
