import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { hasCode } from '../../../core/error-code.ts';
import { createAgents, proxyHeaders, withCode } from './connect.ts';
import { FetchError } from './fetch-error.ts';
import type { HttpOptions } from './http-options.ts';
import { networkReason } from './network-reason.ts';

/** Asks a server. Throws a `FetchError` where there is no answer, and what the signal was aborted with. */
export type SendRequest = (
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
) => Promise<IncomingMessage>;

/** Whether a host is one of those that are asked without the proxy: `no_proxy`'s names, endings of names, and `*`. */
export const isExcepted = (
  { hostname, port, protocol }: URL,
  except: readonly string[],
): boolean => {
  const host = hostname.toLowerCase();
  const used = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return except.some((one) => {
    const [, name = '', only = used] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(one.toLowerCase()) ?? [];
    return (
      one === '*' || (name !== '' && only === used && (host === name || host.endsWith(`.${name}`)))
    );
  });
};

/** Sends requests over connections that are kept for the next ones, until it is closed. */
export const createSender = ({
  proxy: through,
  ca,
  timeouts,
  connections,
}: HttpOptions): { send: SendRequest; close: () => void } => {
  const options = { ca, timeoutMs: timeouts.connectMs, most: connections };
  const straight = createAgents(options, null);
  const proxy = through === null ? null : new URL(through.url);
  const proxied = proxy === null ? straight : createAgents(options, proxy);

  const send: SendRequest = async (url, headers, signal) =>
    new Promise((resolve, reject) => {
      const isStraight = proxy === null || isExcepted(url, through?.except ?? []);
      const agents = isStraight ? straight : proxied;
      const isSecure = url.protocol === 'https:';
      const asked = isSecure || isStraight ? url : proxy;
      const request = (asked.protocol === 'https:' ? httpsRequest : httpRequest)({
        ...{
          host: asked.hostname,
          port: asked.port === '' ? (asked.protocol === 'https:' ? 443 : 80) : asked.port,
        },
        path: asked === url ? `${url.pathname}${url.search}` : url.href,
        agent: asked.protocol === 'https:' ? agents.https : agents.http,
        headers: {
          ...{ host: url.host, ...headers },
          ...(asked === url || proxy === null ? {} : proxyHeaders(proxy)),
        },
        signal,
      });
      let answer: IncomingMessage | null = null;
      request.setTimeout(timeouts.idleMs, () => {
        if (answer === null) request.destroy(withCode('ANSWER_TIMEOUT'));
        else answer.destroy(withCode('BODY_TIMEOUT'));
      });
      request.once('response', (response) => {
        answer = response;
        resolve(response);
      });
      // After the answer what goes wrong is told to who reads it.
      request.on('error', (error) => {
        if (signal.aborted) reject(signal.reason as Error);
        // The server had ended a connection that was kept for this.
        else if (request.reusedSocket && answer === null && hasCode(error, 'ECONNRESET'))
          resolve(send(url, headers, signal));
        else reject(new FetchError(url.href, networkReason(error)));
      });
      request.end();
    });
  return {
    send,
    close: () => {
      for (const { http, https } of [straight, proxied]) {
        http.destroy();
        https.destroy();
      }
    },
  };
};
