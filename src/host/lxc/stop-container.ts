import type { ContainerName } from '../../core/ids.ts';
import { sameInstance } from '../../core/observation.ts';
import type { Instance } from '../../core/observation.ts';
import type { ChildIdentity, RuntimeState } from '../runtime.ts';
import type { LxcPlaces } from './ask-monitor.ts';
import { runLxcTool } from './lxc-tool.ts';
import type { ToolResult } from './lxc-tool.ts';
import { isLive, readProcess, readProcessStat } from './process-stat.ts';
import { readState, settledState } from './read-state.ts';

export interface StopOptions {
  timeoutMs: number;
  onChild?: (child: ChildIdentity) => void;
  /** Told what a tool of LXC complained of; the state decides, not the tool. */
  report: (tool: string, name: ContainerName, result: ToolResult) => void;
}

/** For post-stop hooks and the monitor's own clean-up, beyond the time that the container has. */
const MONITOR_GRACE_MS = 15_000;
const KILL_TIMEOUT_MS = 10_000;
const UNFREEZE_TIMEOUT_MS = 5_000;

export const isDown = ({ state }: RuntimeState): boolean => state === 'stopped' || state === 'gone';

const isAlive = (places: LxcPlaces, { initPid, startTime }: Instance): boolean => {
  const stat = readProcessStat(places.procRoot, initPid);
  return isLive(stat) && stat.startTime === startTime;
};

/** Still this very instance, running or not yet gone: what we were asked to stop. */
const isStill = (places: LxcPlaces, before: Instance | null, now: RuntimeState): boolean => {
  if (now.instance !== null) return before === null || sameInstance(before, now.instance);
  return !isDown(now) && (before === null || isAlive(places, before));
};

const settle = (places: LxcPlaces, name: ContainerName, timeoutMs: number): Promise<RuntimeState> =>
  settledState(places, name, (now) => isDown(now) || now.instance !== null, timeoutMs);

/** The soft limit on open files that the container's monitor was started with; null where it is not a number. */
const openFilesOf = ({ procRoot }: LxcPlaces, instance: Instance | null): number | null => {
  const init = instance === null ? null : readProcessStat(procRoot, instance.initPid);
  const limits = init === null ? null : readProcess(procRoot, init.parent, 'limits');
  const soft = /^Max open files +(\d+) /m.exec(limits ?? '')?.[1];
  return soft === undefined ? null : Number(soft);
};

const killInit = (places: LxcPlaces, instance: Instance): void => {
  if (!isAlive(places, instance)) return;
  try {
    process.kill(instance.initPid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/**
 * Stops a container: its halt signal, SIGKILL after `timeoutMs` (lxc-stop counts whole seconds, so
 * it is rounded up), and as the last means SIGKILL to its init. A frozen container is thawed, for
 * it could not obey. Answers the state that is seen in the end: `stopped`, or `running` with
 * another instance when somebody started it again meanwhile; that one is left alone.
 * Throws when its monitor does not answer.
 */
export const stopContainer = async (
  places: LxcPlaces,
  name: ContainerName,
  { timeoutMs, onChild, report }: StopOptions,
): Promise<RuntimeState> => {
  const before = await readState(places, name);
  if (isDown(before)) return before;
  const run = async (args: string[], limitMs: number): Promise<void> => {
    const options = { timeoutMs: limitMs, ...(onChild === undefined ? {} : { onChild }) };
    const result = await runLxcTool('lxc-stop', places.lxcPath, name, args, options);
    if (result.exitCode !== 0) report('lxc-stop', name, result);
  };
  const openFiles = openFilesOf(places, before.instance);
  if (openFiles !== null) places.openFiles.set(name, openFiles);
  // With 0 lxc-stop would wait for ever.
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const graceful = run(['-t', String(seconds)], seconds * 1000 + MONITOR_GRACE_MS);
  // Awaited below; it must not be an unhandled rejection meanwhile.
  graceful.catch(() => undefined);
  if (before.state === 'frozen') {
    const limit = { timeoutMs: UNFREEZE_TIMEOUT_MS };
    const result = await runLxcTool('lxc-unfreeze', places.lxcPath, name, [], limit);
    if (result.exitCode !== 0) report('lxc-unfreeze', name, result);
  }
  await graceful;
  let now = await settle(places, name, MONITOR_GRACE_MS);
  if (!isStill(places, before.instance, now)) return now;
  await run(['-k'], KILL_TIMEOUT_MS);
  now = await settle(places, name, MONITOR_GRACE_MS);
  if (!isStill(places, before.instance, now) || before.instance === null) return now;
  killInit(places, before.instance);
  return settle(places, name, KILL_TIMEOUT_MS);
};
