import { setTimeout as after } from 'node:timers/promises';
import { FetchError } from './fetch-error.ts';
import type { HttpOptions } from './http-options.ts';
import { redirectOf } from './redirect.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Received } from './save-body.ts';
import { discard, saveBody } from './save-body.ts';
import { createSender } from './send-request.ts';

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
  close: () => void;
}

const MOST_REDIRECTS = 5;

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
  const { send, close } = createSender(options);

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
      const answer = await send(
        url,
        secret === null ? headers : { ...headers, authorization: secret },
        signal,
      );
      const { statusCode: status = 0, headers: told } = answer;
      if (status === 200) {
        const received = await saveBody({ url: url.href, to, maxBytes, answer, signal });
        const [etag, lastModified] = [told.etag ?? null, told['last-modified'] ?? null];
        return { changed: true, validators: { etag, lastModified }, ...received };
      }
      discard(answer);
      if (status === 304 && unless !== undefined) return { changed: false };
      if (![301, 302, 303, 307, 308].includes(status))
        throw new FetchError(url.href, statusReason(status), {
          status,
          retryAfterMs: retryAfterMs(told['retry-after'] ?? null, now()),
        });
      if (redirects === MOST_REDIRECTS)
        throw new FetchError(from, `it is redirected more than ${MOST_REDIRECTS} times`);
      url = redirectOf(url, told.location ?? null);
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
    close,
  };
};
