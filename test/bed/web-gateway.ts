import { createServer, request as sendRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A way out of the bed for hosts that need one: a proxy on their link, so that nothing of the machine's routing changes. */
export interface WebGateway {
  /** For `Acquire::http::Proxy` in a host. */
  url: string;
  close: () => Promise<void>;
}

const passOn = (upstream: URL | null, request: IncomingMessage, response: ServerResponse): void => {
  const target = request.url ?? '';
  const fail = (): void => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  };
  if (!URL.canParse(target) || !target.startsWith('http://')) return fail();
  const { host, hostname, port, pathname, search } = new URL(target);
  const place =
    upstream === null
      ? { host: hostname, port: port === '' ? 80 : Number(port), path: `${pathname}${search}` }
      : { host: upstream.hostname, port: Number(upstream.port || 80), path: target };
  const headers = { ...request.headers, host };
  const sent = sendRequest({ ...place, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('error', fail);
    answer.pipe(response);
  });
  sent.on('error', fail);
  request.pipe(sent);
};

const join = (client: Socket, server: Socket): void => {
  client.on('error', () => server.destroy()).on('close', () => server.destroy());
  server.on('error', () => client.destroy()).on('close', () => client.destroy());
};

const tunnel = (upstream: URL | null, target: string, client: Socket, head: Buffer): void => {
  const [, host = '', port = ''] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(target) ?? [];
  const server =
    upstream === null
      ? connect(Number(port), host)
      : connect(Number(upstream.port || 80), upstream.hostname);
  join(client, server);
  server.on('connect', () => {
    if (upstream === null) client.write('HTTP/1.1 200 OK\r\n\r\n');
    // It answers by itself, and the client reads that.
    else server.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    server.write(head);
    server.pipe(client).pipe(server);
  });
};

/**
 * Starts the proxy at an address of the machine, where only its hosts come; `upstream`: the proxy that the machine itself has
 * to use.
 */
export const startWebGateway = async (
  address: string,
  upstream: URL | null,
): Promise<WebGateway> => {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    passOn(upstream, request, response);
  });
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    tunnel(upstream, request.url ?? '', client, head);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `http://${address}:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
