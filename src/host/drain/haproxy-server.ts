import { errorText } from '../../core/error-text.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AskHaproxy } from './haproxy-runtime.ts';
import { adminKind, parseServersState, parseStat } from './parse-haproxy.ts';
import type { ServerState } from './parse-haproxy.ts';

/** One server of one backend behind one runtime socket. */
export interface HaproxyServer {
  socket: string;
  backend: string;
  server: string;
}

export interface HaproxyOptions {
  ask: AskHaproxy;
  signal?: AbortSignal | undefined;
}

const COMMAND_TIMEOUT_MS = 5_000;
const PAUSE_MS = { first: 2, largest: 50 };
const namePattern = /^[A-Za-z0-9_.:-]+$/;

export const describeServer = ({ socket, backend, server }: HaproxyServer): string =>
  `HAProxy at ${socket}, server ${backend}/${server}`;

/** Throws with socket, backend and server before whatever went wrong. */
const naming = async <T>(which: HaproxyServer, work: () => Promise<T>): Promise<T> => {
  try {
    // Anything else would end the command, or begin another one.
    for (const name of [which.backend, which.server])
      if (!namePattern.test(name))
        throw new Error(`"${name}" is no name for a backend or server of HAProxy`);
    return await work();
  } catch (error) {
    const reason = errorText(error);
    const prefix = `HAProxy at ${which.socket}: `;
    const rest = reason.startsWith(prefix) ? reason.slice(prefix.length) : reason;
    throw new Error(`${describeServer(which)}: ${rest}`, { cause: error });
  }
};

const say = (which: HaproxyServer, command: string, { ask, signal }: HaproxyOptions) =>
  ask(which.socket, command, { timeoutMs: COMMAND_TIMEOUT_MS, signal });

const readState = async (which: HaproxyServer, options: HaproxyOptions): Promise<ServerState> => {
  const answer = await say(which, `show servers state ${which.backend}`, options);
  if (/^Can't find backend/.test(answer)) throw new Error('there is no such backend');
  const found = parseServersState(answer).find(({ server }) => server === which.server);
  if (found === undefined)
    throw new Error(
      'there is no such server in the backend: set haproxy.server to the name that HAProxy has for this container',
    );
  return found;
};

/** Whether the server is in service now, or was taken out by somebody. Throws when it is not there. */
export const readAdmin = (
  which: HaproxyServer,
  options: HaproxyOptions,
): Promise<'ready' | 'maint' | 'drain'> =>
  naming(which, async () => adminKind((await readState(which, options)).admin));

/** `set server …`: silent when done, a sentence when refused. */
const setServer = async (
  which: HaproxyServer,
  what: string,
  options: HaproxyOptions,
): Promise<void> => {
  const command = `set server ${which.backend}/${which.server} ${what}`;
  const answer = (await say(which, command, options)).trim();
  if (/permission denied/i.test(answer))
    throw new Error(`\`${command}\` is not permitted: the stats socket needs \`level admin\``);
  if (answer !== '') throw new Error(`\`${command}\` was refused: ${answer}`);
};

/** No new session goes to the server, and its health checks rest. */
export const setMaint = (which: HaproxyServer, options: HaproxyOptions): Promise<void> =>
  naming(which, () => setServer(which, 'state maint', options));

/**
 * Puts the server back. `healthy`: our own probe has just passed, so it takes sessions at once;
 * otherwise HAProxy's own checks decide. A server that tracks another has no health of its own.
 */
export const setReady = (
  which: HaproxyServer,
  healthy: boolean,
  options: HaproxyOptions,
): Promise<void> =>
  naming(which, async () => {
    await setServer(which, 'state ready', options);
    if (!healthy) return;
    await setServer(which, 'health up', options).catch((error: unknown) => {
      if (!errorText(error).includes('tracking server')) throw error;
    });
  });

/** Waits until the server has no session left; throws, with how many there are, after `timeoutMs`. */
export const waitForNoSession = (
  which: HaproxyServer,
  timeoutMs: number,
  options: HaproxyOptions,
): Promise<void> =>
  naming(which, async () => {
    const { backendId, serverId } = await readState(which, options);
    const end = performance.now() + timeoutMs;
    for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(PAUSE_MS.largest, pauseMs * 2)) {
      // 4: servers only. By number, as every version of HAProxy understands it.
      const answer = await say(which, `show stat ${backendId} 4 ${serverId}`, options);
      const [stat] = parseStat(answer).filter(({ server }) => server === which.server);
      if (stat === undefined) throw new Error('it is not there any more');
      const left = stat.sessions + stat.queued;
      if (left === 0) return;
      if (performance.now() >= end)
        throw new Error(`${left} sessions are still open after ${timeoutMs} ms`);
      await sleep(pauseMs, undefined, { signal: options.signal });
    }
  });
