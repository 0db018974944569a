import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A file as it lies on a server. */
interface Published {
  content: Buffer;
  /** Null: the server says none. */
  lastModified: string | null;
  etag: string | null;
}

export interface FeedServer {
  url: string;
  /** What was asked for, in its order: `GET /path`, with the status of the answer. */
  asked: string[];
  /** The headers of the last request. */
  headers: IncomingMessage['headers'];
  publish: (path: string, content: Uint8Array | string, file?: Partial<Published>) => void;
  unpublish: (path: string) => void;
  /** Answers instead of the files, where it says that it did. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Runs something and tells what was asked for meanwhile. */
  during: (work: () => Promise<unknown>) => Promise<string[]>;
  close: () => Promise<void>;
}

const isKnown = (request: IncomingMessage, { etag, lastModified }: Published): boolean =>
  etag !== null && request.headers['if-none-match'] !== undefined
    ? request.headers['if-none-match'] === etag
    : lastModified !== null && request.headers['if-modified-since'] === lastModified;

/** Listens at a free port; also ends connections that are open, as kept alive ones are. */
export const listening = async (
  server: Server,
): Promise<{ port: number; end: () => Promise<void> }> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    end: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

/** A real server of files, as mirrors are, which can be told to misbehave. */
export const startFeedServer = async (
  tls: { key: string; cert: string } | null = null,
): Promise<FeedServer> => {
  const files = new Map<string, Published>();
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? '';
    server.headers = request.headers;
    response.on('close', () =>
      server.asked.push(`${request.method ?? ''} ${path} ${response.statusCode}`),
    );
    if (server.instead?.(request, response) === true) return;
    const file = files.get(decodeURIComponent(path)) ?? files.get(path);
    if (file === undefined) {
      response.writeHead(404).end('no such file');
      return;
    }
    const headers = {
      ...(file.etag === null ? {} : { etag: file.etag }),
      ...(file.lastModified === null ? {} : { 'last-modified': file.lastModified }),
    };
    if (isKnown(request, file)) response.writeHead(304, headers).end();
    else
      response
        .writeHead(200, { ...headers, 'content-length': file.content.length })
        .end(file.content);
  };
  const listener = tls === null ? createServer(answer) : createTlsServer(tls, answer);
  const { port, end } = await listening(listener);
  const server: FeedServer = {
    ...{ url: `http${tls === null ? '' : 's'}://127.0.0.1:${port}`, asked: [], headers: {} },
    instead: null,
    publish: (path, content, file = {}) => {
      const bytes = Buffer.from(content as Uint8Array);
      files.set(path, {
        content: bytes,
        lastModified: null,
        etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
        ...file,
      });
    },
    unpublish: (path) => files.delete(path),
    during: async (work) => {
      const from = server.asked.length;
      await work();
      return server.asked.slice(from).sort();
    },
    close: end,
  };
  return server;
};
