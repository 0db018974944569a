import { errorText } from '../../core/error-text.ts';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import type { HealthCheck } from '../../core/service-settings.ts';
import type { ProbeAnswer } from '../../core/health-clock.ts';
import { connectWithin, describeConnectError } from './probe-tcp.ts';
import type { ConnectOptions } from './probe-tcp.ts';

type HttpCheck = Extract<HealthCheck, { kind: 'http' }>;

/** How much of an answer's body is read before the connection is given up: servers log a reset. */
const BODY_BYTES = 65_536;
const BODY_MS = 100;

const isAccepted = ({ status }: HttpCheck, code: number): boolean =>
  status === undefined ? code >= 200 && code <= 399 : status.includes(code);

/** Reads the rest of an answer, within limits; the verdict is known already. */
const readRest = (response: IncomingMessage, socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    let bytes = 0;
    const finish = (): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve();
    };
    const limit = setTimeout(finish, BODY_MS);
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES) finish();
    });
    response.once('end', finish);
    response.once('error', finish);
  });

/** The answer's head; the connection must be destroyed by the caller. */
const askOver = (
  socket: Socket,
  check: HttpCheck,
  authority: string,
  { timeoutMs, signal }: ConnectOptions,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asking = request(
      {
        path: check.path,
        headers: { host: authority, 'user-agent': 'groundswell', connection: 'close' },
        createConnection: () => socket,
      },
      (response) => {
        clearTimeout(limit);
        signal?.removeEventListener('abort', onAbort);
        resolve(response);
      },
    );
    const fail = (reason: string): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      asking.destroy();
      reject(new Error(reason));
    };
    const onAbort = (): void => {
      fail('broken off');
    };
    const limit = setTimeout(() => {
      fail(`GET ${check.path} on ${authority} was not answered within ${timeoutMs} ms`);
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    asking.on('error', (error) => {
      fail(describeConnectError(error, `GET ${check.path} on ${authority}`));
    });
    asking.end();
  });

/**
 * One `GET` over a connection of its own; redirects are an answer and not followed. Healthy when the
 * status is accepted. Never throws.
 */
export const probeHttp = async (
  check: HttpCheck,
  address: string,
  limits: ConnectOptions & { connectTimeoutMs: number },
): Promise<ProbeAnswer> => {
  const authority = `${isIPv6(address) ? `[${address}]` : address}:${check.port}`;
  const begun = performance.now();
  let socket: Socket | undefined;
  try {
    socket = await connectWithin(address, check.port, {
      timeoutMs: limits.connectTimeoutMs,
      signal: limits.signal,
    });
    const left = Math.max(1, limits.timeoutMs - Math.round(performance.now() - begun));
    const response = await askOver(socket, check, authority, {
      timeoutMs: left,
      signal: limits.signal,
    });
    const code = response.statusCode ?? 0;
    await readRest(response, socket);
    return isAccepted(check, code)
      ? { health: 'healthy', reason: `GET ${check.path} answered ${code}` }
      : {
          health: 'unhealthy',
          reason: `GET ${check.path} on ${authority} answered ${code}, wanted ${check.status?.join(', ') ?? '200 to 399'}`,
        };
  } catch (error) {
    return {
      health: 'unhealthy',
      reason: errorText(error),
    };
  } finally {
    socket?.destroy();
  }
};
