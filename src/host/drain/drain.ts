import { errorText } from '../../core/error-text.ts';
import type { HostServiceSettings } from '../../core/service-settings.ts';
import { substitute } from '../../core/substitute.ts';
import type { SubstitutedContainer } from '../../core/substitute.ts';
import type { RunBounded } from '../run-bounded.ts';
import { formatFound, parseFound } from './found.ts';
import type { DrainFound } from './found.ts';
import type { AskHaproxy } from './haproxy-runtime.ts';
import {
  describeServer,
  readAdmin,
  setMaint,
  setReady,
  waitForNoSession,
} from './haproxy-server.ts';
import type { HaproxyServer } from './haproxy-server.ts';
import { runServiceCommand } from './service-command.ts';

export type DrainSettings = Pick<
  HostServiceSettings,
  'beforeStop' | 'afterHealthy' | 'commandTimeoutMs' | 'haproxy'
>;

export interface DrainDependencies {
  run: RunBounded;
  ask: AskHaproxy;
  /** Our own probe of the container, asked right before the load balancer is told `ready`. */
  isHealthy: () => Promise<boolean>;
  signal?: AbortSignal | undefined;
}

export interface DrainMemory {
  /** What an earlier drain for the same restart found (a retry, a crash): not asked for again (R26). */
  found: string | null;
  /** Makes what was found durable. Awaited before anything is changed, so that a crash can be undone. */
  keep: (found: string) => Promise<void> | void;
}

export type DrainResult =
  { ok: true; found: string } | { ok: false; found: string | null; reason: string };

export type UndrainResult = { ok: true } | { ok: false; reason: string };

const serverOf = (
  haproxy: NonNullable<DrainSettings['haproxy']>,
  container: SubstitutedContainer,
): HaproxyServer => ({
  socket: haproxy.socket,
  backend: substitute(haproxy.backend, container),
  server: substitute(haproxy.server, container),
});

const look = async (
  { haproxy }: DrainSettings,
  container: SubstitutedContainer,
  deps: DrainDependencies,
): Promise<DrainFound> => {
  if (haproxy === undefined) return { haproxy: null };
  const which = serverOf(haproxy, container);
  return { haproxy: { ...which, state: await readAdmin(which, deps) } };
};

/** Only for a drain that goes on after its service's `haproxy` was taken out of the configuration. */
const DEFAULT_WAIT_MS = 30_000;

/**
 * Takes a container out of service before it is stopped: looks and remembers, then runs the
 * before-stop command, then HAProxy's `maint` and the wait for its last session. A server that an
 * operator had out of service is waited for as well, and otherwise left alone (R28). May be repeated.
 * Never throws; after a failure, `undrain` with what was found puts everything back.
 */
export const drain = async (
  settings: DrainSettings,
  container: SubstitutedContainer,
  deps: DrainDependencies,
  memory: DrainMemory,
): Promise<DrainResult> => {
  let { found } = memory;
  try {
    const before = found === null ? await look(settings, container, deps) : parseFound(found);
    if (found === null) {
      const text = formatFound(before);
      await memory.keep(text);
      found = text;
    }
    if (settings.beforeStop !== undefined) {
      const options = { ...deps, timeoutMs: settings.commandTimeoutMs };
      await runServiceCommand('beforeStop', settings.beforeStop, container, options);
    }
    if (before.haproxy === 'lost') throw new Error(LOST);
    if (before.haproxy !== null) {
      if (before.haproxy.state === 'ready') await setMaint(before.haproxy, deps);
      const timeoutMs = settings.haproxy?.timeoutMs ?? DEFAULT_WAIT_MS;
      await waitForNoSession(before.haproxy, timeoutMs, deps);
    }
    return { ok: true, found };
  } catch (error) {
    return { ok: false, found, reason: errorText(error) };
  }
};

const LOST = 'what an earlier drain found is lost with its journal';

/** R15, L3: whose doing it is that a server is out cannot be told any more, so a person is asked. */
const refuseLost = async (
  { haproxy }: DrainSettings,
  container: SubstitutedContainer,
  deps: DrainDependencies,
): Promise<void> => {
  if (haproxy === undefined) return;
  const which = serverOf(haproxy, container);
  const state = await readAdmin(which, deps);
  if (state !== 'ready')
    throw new Error(
      `${describeServer(which)}: it is in state ${state}, and ${LOST}: unless somebody wants it out, say \`set server ${which.backend}/${which.server} state ready\` on that socket`,
    );
};

/**
 * Puts a container back into service as it was found: the after-healthy command, then HAProxy's
 * `ready`, and `health up` when our own probe passes at that moment (else HAProxy's own checks
 * decide). With `found` null nothing had been changed, and nothing is done. May be repeated, also by
 * another process after a crash. A server that an operator had out of service stays there (R28).
 * Never throws.
 */
export const undrain = async (
  settings: DrainSettings,
  container: SubstitutedContainer,
  found: string | null,
  deps: DrainDependencies,
): Promise<UndrainResult> => {
  if (found === null) return { ok: true };
  try {
    const { haproxy } = parseFound(found);
    if (settings.afterHealthy !== undefined) {
      const options = { ...deps, timeoutMs: settings.commandTimeoutMs };
      await runServiceCommand('afterHealthy', settings.afterHealthy, container, options);
    }
    if (haproxy === 'lost') await refuseLost(settings, container, deps);
    else if (haproxy?.state === 'ready') await setReady(haproxy, await deps.isHealthy(), deps);
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
};
