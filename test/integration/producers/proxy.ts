import { createServer, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { listening } from './fetch/feed-server.ts';

export interface Proxy {
  url: string;
  /** `CONNECT host:port` and `GET http://…`, with who asked. */
  asked: string[];
  close: () => Promise<void>;
}

/** A proxy that wants a password, lets CONNECT through, and fetches http by itself. */
export const startProxy = async (): Promise<Proxy> => {
  const asked: string[] = [];
  const password = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (request.headers['proxy-authorization'] !== password) {
      response.writeHead(407).end();
      return;
    }
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    httpRequest(request.url ?? '', { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end();
  });
  server.on('connect', (request, client) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    if (request.headers['proxy-authorization'] !== password) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
  });
  const { port, end } = await listening(server);
  return { url: `http://127.0.0.1:${port}`, asked, close: end };
};
