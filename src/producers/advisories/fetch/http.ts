import { setTimeout as after } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import { Agent, EnvHttpProxyAgent, request } from 'undici';
import type { Dispatcher } from 'undici';
import { FetchError } from './fetch-error.ts';
import { networkReason } from './network-reason.ts';
import { redirectOf } from './redirect.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Received } from './save-body.ts';
import { saveBody } from './save-body.ts';

export interface HttpOptions {
  /** Null: straight. `except` are hosts that are asked straight, as in `no_proxy`. */
  proxy: { url: string; except?: string[] } | null;
  /** Certificates (PEM) that are trusted beside the usual ones. */
  ca: string[];
  userAgent: string;
  timeouts: {
    connectMs: number;
    /** Without a byte from the server. */
    idleMs: number;
    /** Of one request, however much comes. */
    totalMs: number;
  };
  /** At once, to one server. */
  connections: number;
  /** Between two requests of many. */
  pauseMs: number;
}

export const httpDefaults: HttpOptions = {
  ...{ proxy: null, ca: [], userAgent: 'groundswell', connections: 4, pauseMs: 500 },
  timeouts: { connectMs: 15_000, idleMs: 60_000, totalMs: 2 * 60 * 60 * 1000 },
};

/** By what a server can tell whether we have its present state. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

export interface Download {
  url: string;
  /** The file that is written, new or over an old one. After a failure it is gone. */
  to: string;
  maxBytes: number;
  /** Ask only for another state than this. */
  unless?: Validators;
  /** Let it come compressed: for large texts, whose bytes no checksum is of. */
  mayBePacked?: boolean;
}

export type Downloaded =
  ({ changed: true; validators: Validators } & Received) | { changed: false };

export interface HttpClient {
  /** Gets a file. Throws a `FetchError`, and what the signal was aborted with. */
  download: (download: Download, signal: AbortSignal) => Promise<Downloaded>;
  /** Waits as long as is polite between two of many requests. */
  pause: (signal: AbortSignal) => Promise<void>;
  close: () => Promise<void>;
}

const MOST_REDIRECTS = 5;

const dispatcherOf = ({ proxy, ca, timeouts, connections }: HttpOptions): Dispatcher => {
  const tls = ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] };
  const common = {
    connections,
    connect: { timeout: timeouts.connectMs, ...tls },
    headersTimeout: timeouts.idleMs,
    bodyTimeout: timeouts.idleMs,
  };
  return proxy === null
    ? new Agent(common)
    : new EnvHttpProxyAgent({
        ...common,
        ...{ httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: (proxy.except ?? []).join(',') },
        ...{ requestTls: tls, proxyTls: tls },
        // Proxies for packages let CONNECT through to the port of HTTPS only.
        proxyTunnel: false,
      });
};

/** The address to ask, and what of it is for the server alone. */
const target = (text: string): { url: URL; authorization: string | null } => {
  if (!URL.canParse(text)) throw new FetchError(text, 'it is no URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FetchError(text, 'only http: and https: are fetched');
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  const authorization = user === ':' ? null : `Basic ${Buffer.from(user).toString('base64')}`;
  return { url, authorization };
};

const one = (header: string | string[] | undefined): string | null =>
  (Array.isArray(header) ? header[0] : header) ?? null;

const statusReason = (status: number): string =>
  ({
    401: 'the server wants a user name and password (401)',
    403: 'the server refuses it (403)',
    404: 'it is not there (404)',
    407: 'the proxy wants a user name and password (407)',
    410: 'it is gone for good (410)',
    429: 'the server asks for fewer requests (429)',
    503: 'the server is not available at the moment (503)',
  })[status] ?? (status >= 500 ? `the server failed (${status})` : `the server answered ${status}`);

/** A client for feeds: it follows redirects within bounds, and does not try again by itself. */
export const createHttpClient = (options: HttpOptions, now: () => Date): HttpClient => {
  const dispatcher = dispatcherOf(options);

  const ask = async (
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> => {
    try {
      return await request(url, { dispatcher, headers, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new FetchError(url.href, networkReason(error));
    }
  };

  const get = async (
    { url: from, to, maxBytes, unless, mayBePacked = false }: Download,
    signal: AbortSignal,
  ): Promise<Downloaded> => {
    const first = target(from);
    const headers: Record<string, string> = {
      'user-agent': options.userAgent,
      'accept-encoding': mayBePacked ? 'gzip' : 'identity',
    };
    if (typeof unless?.etag === 'string') headers['if-none-match'] = unless.etag;
    if (typeof unless?.lastModified === 'string')
      headers['if-modified-since'] = unless.lastModified;
    let url = first.url;
    for (let redirects = 0; ; redirects += 1) {
      const secret = url.origin === first.url.origin ? first.authorization : null;
      const answer = await ask(
        url,
        secret === null ? headers : { ...headers, authorization: secret },
        signal,
      );
      const { statusCode: status, headers: told, body } = answer;
      if (status === 200) {
        const received = await saveBody({ url: url.href, to, maxBytes, answer, signal });
        const [etag, lastModified] = [one(told['etag']), one(told['last-modified'])];
        return { changed: true, validators: { etag, lastModified }, ...received };
      }
      await body.dump({ limit: 65_536 }).catch(() => undefined);
      if (status === 304 && unless !== undefined) return { changed: false };
      if (![301, 302, 303, 307, 308].includes(status))
        throw new FetchError(url.href, statusReason(status), {
          status,
          retryAfterMs: retryAfterMs(one(told['retry-after']), now()),
        });
      if (redirects === MOST_REDIRECTS)
        throw new FetchError(from, `it is redirected more than ${MOST_REDIRECTS} times`);
      url = redirectOf(url, one(told['location']));
    }
  };

  return {
    download: async (download, signal) => {
      const limit = AbortSignal.timeout(options.timeouts.totalMs);
      try {
        return await get(download, AbortSignal.any([signal, limit]));
      } catch (error) {
        if (limit.aborted && !signal.aborted)
          throw new FetchError(
            download.url,
            `it did not come within ${Math.round(options.timeouts.totalMs / 1000)} s`,
          );
        throw error;
      }
    },
    pause: async (signal) => {
      await after(options.pauseMs, undefined, { signal });
    },
    close: async () => {
      await dispatcher.destroy();
    },
  };
};
