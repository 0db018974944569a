import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { request } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { startWebGateway } from '../../bed/web-gateway.ts';
import type { WebGateway } from '../../bed/web-gateway.ts';
import { listening } from '../producers/fetch/feed-server.ts';

let origin: { port: number; end: () => Promise<void> };
let gateways: WebGateway[];

beforeEach(async () => {
  gateways = [];
  origin = await listening(
    createServer((asked, answer) => {
      answer.end(`${asked.headers.host ?? ''} ${asked.url ?? ''}`);
    }),
  );
});
afterEach(async () => {
  for (const gateway of gateways) await gateway.close();
  await origin.end();
});

const gateway = async (upstream: URL | null = null): Promise<URL> => {
  const one = await startWebGateway('127.0.0.1', upstream);
  gateways.push(one);
  return new URL(one.url);
};

const bodyOf = async (answer: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const part of answer.setEncoding('utf8')) body += String(part);
  return body;
};
const get = (options: RequestOptions): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request(options, resolve).on('error', reject).end();
  });

/** What a client of the proxy gets, by either of the two ways. */
const plain = async ({ hostname, port }: URL, target: string): Promise<[number, string]> => {
  const answer = await get({ hostname, port, path: target });
  return [answer.statusCode ?? 0, await bodyOf(answer)];
};
const tunnelled = async ({ hostname, port }: URL, to: string): Promise<string> => {
  const socket = await new Promise<Socket>((resolve, reject) => {
    request({ hostname, port, method: 'CONNECT', path: to })
      .on('connect', (_: IncomingMessage, connected: Socket) => resolve(connected))
      .on('error', reject)
      .end();
  });
  const answer = await get({ createConnection: () => socket, path: '/inside' });
  return bodyOf(answer);
};

test('passes on requests and connections, also to a further proxy', async () => {
  const place = `127.0.0.1:${origin.port}`;
  const direct = await gateway();
  for (const at of [direct, await gateway(direct)]) {
    expect(await plain(at, `http://${place}/a?b=c`)).toEqual([200, `${place} /a?b=c`]);
    expect(await tunnelled(at, place)).toContain('/inside');
  }
});

test('says so where there is nobody, and where it is asked for no address', async () => {
  const at = await gateway();
  const { port, end } = await listening(createServer());
  await end();
  expect((await plain(at, `http://127.0.0.1:${port}/`))[0]).toBe(502);
  expect((await plain(at, '/etc/passwd'))[0]).toBe(502);
  await expect(tunnelled(at, `127.0.0.1:${port}`)).rejects.toThrow();
});
