import type { ClientRequestArgs } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** An error with a code, as `networkReason` knows them. */
export const withCode = (code: string): Error => Object.assign(new Error(code), { code });

type Connected = (error: Error | null, socket?: Socket) => void;

/** What a proxy is asked with. */
export const proxyHeaders = ({ username, password }: URL): Record<string, string> => {
  if (username === '' && password === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
};

export interface ConnectOptions {
  /** Beside those that are trusted anyway. */
  ca: readonly string[];
  timeoutMs: number;
  /** Connections at once to one server. */
  most: number;
}

/** Certificates that are trusted; left out: the usual ones. */
const trusted = (ca: readonly string[]): Pick<ConnectionOptions, 'ca'> =>
  ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] };

const hostOf = (args: ClientRequestArgs): string => (args.host ?? '').replace(/^\[|\]$/g, '');

/** Hands on a connection when it stands, or why it does not. */
const settled = (socket: Socket, event: string, timeoutMs: number, done: Connected): void => {
  const finish = (error: Error | null): void => {
    clearTimeout(timer);
    socket.off(event, connected).off('error', finish);
    if (error !== null) {
      socket.on('error', () => undefined).destroy();
      done(error);
    } else done(null, socket);
  };
  const connected = (): void => finish(null);
  const timer = setTimeout(() => finish(withCode('CONNECT_TIMEOUT')), timeoutMs);
  socket.once(event, connected).once('error', finish);
};

const refused = (status: number): Error =>
  new Error(
    status === 407
      ? 'the proxy wants a user name and password (407)'
      : `the proxy refused it (${status})`,
  );

/** A way through a proxy to the server of a protected connection. */
const tunnel = (
  proxy: URL,
  target: string,
  { ca, timeoutMs }: ConnectOptions,
  done: Connected,
): void => {
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    ...{ method: 'CONNECT', path: target, agent: false, timeout: timeoutMs, ...trusted(ca) },
    ...{ host: proxy.hostname.replace(/^\[|\]$/g, ''), port: proxy.port },
    headers: { host: target, ...proxyHeaders(proxy) },
  });
  request.once('connect', ({ statusCode = 0 }, socket: Socket) => {
    if (statusCode === 200) return done(null, socket);
    socket.on('error', () => undefined).destroy();
    done(refused(statusCode));
  });
  request.once('response', ({ statusCode = 0 }) => {
    request.destroy();
    done(refused(statusCode));
  });
  request.once('timeout', () => request.destroy(withCode('CONNECT_TIMEOUT')));
  request.once('error', done);
  request.end();
};

/** Agents that connect within a time, straight or through a proxy. */
export const createAgents = (
  options: ConnectOptions,
  proxy: URL | null,
): { http: HttpAgent; https: HttpsAgent } => {
  const pool = { keepAlive: true, maxSockets: options.most, timeout: 0 };
  const http = new HttpAgent(pool);
  const https = new HttpsAgent({ ...pool, ...trusted(options.ca) });
  const secure = (args: ClientRequestArgs, socket: Socket | undefined, done: Connected): void => {
    const host = hostOf(args);
    const tls = connectTls({
      ...(socket === undefined ? { host, port: Number(args.port) } : { socket, host }),
      ...trusted(options.ca),
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    settled(tls, 'secureConnect', options.timeoutMs, done);
  };
  const connectHttp = (args: ClientRequestArgs, done: Connected): void =>
    settled(
      connectPlain({ host: hostOf(args), port: Number(args.port) }),
      ...(['connect', options.timeoutMs, done] as const),
    );
  const connectHttps = (args: ClientRequestArgs, done: Connected): void => {
    if (proxy === null) return secure(args, undefined, done);
    tunnel(proxy, `${String(args.host)}:${String(args.port)}`, options, (error, socket) => {
      if (error !== null) done(error);
      else secure(args, socket, done);
    });
  };
  // What is declared of it returns the connection at once; an agent takes it from the callback too.
  Object.assign(http, { createConnection: connectHttp });
  Object.assign(https, { createConnection: connectHttps });
  return { http, https };
};
