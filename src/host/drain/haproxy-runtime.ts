import { createConnection } from 'node:net';
import type { Socket } from 'node:net';

export interface AskOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Sends one command to a runtime API and answers its text. */
export type AskHaproxy = (socket: string, command: string, options: AskOptions) => Promise<string>;

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** `host:port`, `[v6]:port`, or the path of a Unix socket. Anything with a slash is a path. */
export const parseSocketAddress = (
  socket: string,
): { path: string } | { host: string; port: number } => {
  const found = socket.includes('/') ? null : /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(socket);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? { path: socket } : { host, port };
};

const reasonOf = (error: Error & { code?: string }): string => {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such socket: is HAProxy running, and is this its `stats socket`?';
    case 'ECONNREFUSED':
      return 'nothing listens there: is HAProxy running?';
    case 'EACCES':
      return 'no permission to use it';
    default:
      return error.message;
  }
};

const connect = (socket: string): Socket => {
  const address = parseSocketAddress(socket);
  return 'path' in address ? createConnection(address.path) : createConnection(address);
};

/**
 * One command over one connection to HAProxy's runtime API (management guide, 9.3), which answers
 * and closes. Rejects with the socket and the reason when it cannot be reached, does not answer
 * within the limit or cuts its answer short.
 */
export const askHaproxy: AskHaproxy = (socket, command, { timeoutMs, signal }) =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const connection = connect(socket);
    const settle = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      connection.destroy();
    };
    const fail = (reason: string): void => {
      settle();
      reject(new Error(`HAProxy at ${socket}: ${reason}`));
    };
    const onAbort = (): void => {
      fail('broken off');
    };
    const limit = setTimeout(() => {
      fail(`\`${command}\` was not answered within ${timeoutMs} ms`);
    }, timeoutMs);
    connection.on('error', (error) => {
      fail(reasonOf(error));
    });
    connection.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) fail(`the answer to \`${command}\` is beyond all measure`);
    });
    connection.once('end', () => {
      const answer = Buffer.concat(chunks).toString('utf8');
      // Every answer ends with an empty line; a process that was ended in the middle sends none.
      if (!answer.endsWith('\n')) return fail(`the answer to \`${command}\` was cut short`);
      settle();
      resolve(answer);
    });
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    connection.write(`${command}\n`);
  });
