import { createConnection } from 'node:net';
import type { Socket } from 'node:net';

export interface ConnectOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Why there is no connection, in words an operator knows; the error's own text otherwise. */
export const describeConnectError = (error: Error & { code?: string }, where: string): string => {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${where} refuses connections`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${where} cannot be reached`;
    case 'ECONNRESET':
      return `${where} reset the connection`;
    default:
      return `${where}: ${error.message}`;
  }
};

/**
 * A connection to `address:port`, made within the limit. Rejects with a readable reason; nothing is
 * left open then.
 */
export const connectWithin = (
  address: string,
  port: number,
  { timeoutMs, signal }: ConnectOptions,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const where = `${address}:${port}`;
    const socket = createConnection({ host: address, port });
    const settle = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
    };
    const fail = (reason: string): void => {
      settle();
      // A reset that arrives after we gave up is nobody's business.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(new Error(reason));
    };
    const onAbort = (): void => {
      fail('broken off');
    };
    const limit = setTimeout(() => {
      fail(`${where} did not answer within ${timeoutMs} ms`);
    }, timeoutMs);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    socket.once('error', (error) => {
      fail(describeConnectError(error, where));
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
