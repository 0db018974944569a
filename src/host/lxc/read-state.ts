import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerName } from '../../core/ids.ts';
import type { RuntimeState } from '../runtime.ts';
import { freezerMounts, isFrozen } from './freezer.ts';
import type { FreezerMounts } from './freezer.ts';
import { runLxcTool } from './lxc-tool.ts';
import { findLiveNames, findMonitors, initOfMonitor, monitoredName } from './monitors.ts';
import { readProcess, readProcessStat } from './process-stat.ts';

/** Where a runtime looks, and what it remembers. */
export interface LxcPlaces {
  lxcPath: string;
  procRoot: string;
  /** Pids of monitors as they were last seen: a hint that is checked, never believed. */
  monitorPids: Map<ContainerName, number>;
}

/** lxc-info asks the monitor, which answers at once unless one of its hooks is at work. */
const INFO_TIMEOUT_MS = 5_000;

const down = (state: Exclude<RuntimeState['state'], 'running' | 'frozen'>): RuntimeState => ({
  state,
  instance: null,
});

const isConfigured = (places: LxcPlaces, name: ContainerName): boolean =>
  existsSync(join(places.lxcPath, name, 'config'));

export const readBootId = (procRoot: string): string =>
  readFileSync(`${procRoot}/sys/kernel/random/boot_id`, 'utf8').trim();

/** State and init pid out of `lxc-info -s -p`, with or without its labels. */
export const parseInfo = (stdout: string): { state: string; pid: number | null } | null => {
  const state = /\b(STOPPED|STARTING|RUNNING|STOPPING|ABORTING|FREEZING|FROZEN|THAWED)\b/.exec(
    stdout,
  )?.[1];
  if (state === undefined) return null;
  const pid = /^(?:PID:\s*)?(\d+)$/m.exec(stdout)?.[1];
  return { state, pid: pid === undefined ? null : Number(pid) };
};

const instanceState = (
  places: LxcPlaces,
  state: 'running' | 'frozen',
  pid: number,
): RuntimeState => {
  const stat = readProcessStat(places.procRoot, pid);
  // Its init ended between lxc-info's look and ours: the monitor is about to say so too.
  if (stat === null || stat.state === 'Z') return down('stopping');
  const { startTime } = stat;
  return {
    state,
    instance: { bootId: readBootId(places.procRoot), initPid: pid, startTime },
  };
};

/** State and instance as the container's monitor tells them: one lxc-info(1). */
const askMonitor = async (places: LxcPlaces, name: ContainerName): Promise<RuntimeState> => {
  const result = await runLxcTool('lxc-info', places.lxcPath, name, ['-s', '-p'], {
    timeoutMs: INFO_TIMEOUT_MS,
  });
  const info = parseInfo(result.stdout);
  if (info === null) {
    if (!isConfigured(places, name)) return down('gone');
    // A configuration that today's LXC refuses (old keys): nothing of it can be running unless a
    // monitor from before is still there.
    const alive = findLiveNames(places.procRoot, places.lxcPath).has(name);
    if (!alive && !result.timedOut) return down('stopped');
    throw new Error(
      `lxc-info -n ${name} says nothing of its state${result.timedOut ? ` for ${INFO_TIMEOUT_MS} ms: does a hook of the container hang?` : `: ${result.stderr.trim()}`}`,
    );
  }
  switch (info.state) {
    case 'RUNNING':
    case 'FREEZING':
    case 'FROZEN':
    case 'THAWED': {
      if (info.pid === null) return down('stopping');
      return instanceState(places, info.state === 'FROZEN' ? 'frozen' : 'running', info.pid);
    }
    case 'STARTING':
      return down('starting');
    case 'STOPPING':
      return down('stopping');
    case 'ABORTING':
      return down('aborting');
    default:
      return down('stopped');
  }
};

/** The running (or frozen) state that procfs shows; null when it shows no init. */
const seenRunning = (
  { procRoot }: LxcPlaces,
  monitorPid: number | undefined,
  freezers: FreezerMounts,
  bootId: string,
): RuntimeState | null => {
  const init = monitorPid === undefined ? null : initOfMonitor(procRoot, monitorPid);
  if (init === null) return null;
  return {
    state: isFrozen(procRoot, init.pid, freezers) ? 'frozen' : 'running',
    instance: { bootId, initPid: init.pid, startTime: init.startTime },
  };
};

const readFreezers = ({ procRoot }: LxcPlaces): FreezerMounts =>
  freezerMounts(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'));

/** The monitor's pid: where it was last seen if it is still there, else searched for. */
const findMonitor = (places: LxcPlaces, name: ContainerName): number | undefined => {
  const { procRoot, lxcPath, monitorPids } = places;
  const known = monitorPids.get(name);
  if (known !== undefined) {
    const cmdline = readProcess(procRoot, known, 'cmdline') ?? '';
    if (monitoredName(lxcPath, cmdline) === name) return known;
  }
  rememberMonitors(places);
  return monitorPids.get(name);
};

const rememberMonitors = ({ procRoot, lxcPath, monitorPids }: LxcPlaces): void => {
  monitorPids.clear();
  for (const [name, pid] of findMonitors(procRoot, lxcPath)) monitorPids.set(name, pid);
};

/**
 * State and instance of one container. A container that runs is found in procfs (monitor, its
 * init, the freezer), one without a monitor's socket is down; only one on its way up or down costs
 * an lxc-info(1). Throws when its monitor does not answer within 5 s (a hook is at work): the state
 * is unknown then.
 */
export const readState = async (places: LxcPlaces, name: ContainerName): Promise<RuntimeState> => {
  if (!isConfigured(places, name)) return down('gone');
  if (!findLiveNames(places.procRoot, places.lxcPath).has(name)) return down('stopped');
  const bootId = readBootId(places.procRoot);
  const seen = seenRunning(places, findMonitor(places, name), readFreezers(places), bootId);
  return seen ?? askMonitor(places, name);
};

/**
 * States of many containers, as `readState` has them, in one pass. Containers whose monitor does
 * not answer are missing in the answer: unknown.
 */
export const readStates = async (
  places: LxcPlaces,
  names: readonly ContainerName[],
): Promise<Map<ContainerName, RuntimeState>> => {
  const live = findLiveNames(places.procRoot, places.lxcPath);
  if (live.size > 0) rememberMonitors(places);
  const freezers = readFreezers(places);
  const bootId = readBootId(places.procRoot);
  const states = new Map<ContainerName, RuntimeState>();
  const unsettled: ContainerName[] = [];
  for (const name of names) {
    if (!live.has(name)) {
      states.set(name, down(isConfigured(places, name) ? 'stopped' : 'gone'));
      continue;
    }
    const seen = seenRunning(places, places.monitorPids.get(name), freezers, bootId);
    if (seen === null) unsettled.push(name);
    else states.set(name, seen);
  }
  // One after another: each may hang for seconds, and they are few.
  for (const name of unsettled) {
    const state = await readState(places, name).catch(() => null);
    if (state !== null) states.set(name, state);
  }
  return states;
};
