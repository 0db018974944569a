import { readFileSync } from 'node:fs';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ContainerName } from '../../core/ids.ts';
import type { RuntimeState } from '../runtime.ts';
import { askMonitor, down, isConfigured, readBootId } from './ask-monitor.ts';
import type { LxcPlaces } from './ask-monitor.ts';
import { freezerMounts, isFrozen } from './freezer.ts';
import type { FreezerMounts } from './freezer.ts';
import {
  findLiveNames,
  findMonitors,
  initOfMonitor,
  monitoredBy,
  monitorsInCgroup,
} from './monitors.ts';
import { pollUntil } from './poll-until.ts';

/** What is the same for all containers at one look. */
interface Surroundings {
  bootId: string;
  freezers: FreezerMounts;
}

/** Where cgroups are mounted is settled when a host boots, and its table of mounts is long. */
const AROUND_KEPT_MS = 60_000;

const known = new WeakMap<LxcPlaces, { around: Surroundings; untilMs: number }>();

/** Boot and freezers of the host, as they were within the last minute. */
export const lookAround = (places: LxcPlaces): Surroundings => {
  const { procRoot } = places;
  const last = known.get(places);
  const now = performance.now();
  if (last !== undefined && now < last.untilMs) return last.around;
  const around = {
    bootId: readBootId(procRoot),
    freezers: freezerMounts(readFileSync(`${procRoot}/self/mountinfo`, 'utf8')),
  };
  known.set(places, { around, untilMs: now + AROUND_KEPT_MS });
  return around;
};

/** The monitor's pid: where it was last seen, or where its cgroup usually is; checked by its title. */
const knownMonitor = (
  { procRoot, lxcPath, monitorPids }: LxcPlaces,
  name: ContainerName,
  { freezers }: Surroundings,
): number | null => {
  const isIt = (pid: number): boolean => monitoredBy(procRoot, lxcPath, pid) === name;
  const last = monitorPids.get(name);
  if (last !== undefined && isIt(last)) return last;
  const found = monitorsInCgroup(freezers.v2 ?? freezers.v1, name).find(isIt);
  if (found === undefined) return null;
  monitorPids.set(name, found);
  return found;
};

/** The running (or frozen) state that procfs shows; null when it shows no init of a known monitor. */
const seenRunning = (
  places: LxcPlaces,
  name: ContainerName,
  around: Surroundings,
): RuntimeState | null => {
  const monitor = knownMonitor(places, name, around);
  const init = monitor === null ? null : initOfMonitor(places.procRoot, monitor);
  if (init === null) return null;
  return {
    state: isFrozen(places.procRoot, init.pid, around.freezers) ? 'frozen' : 'running',
    instance: { bootId: around.bootId, initPid: init.pid, startTime: init.startTime },
  };
};

/**
 * State and instance of one container as procfs shows them: one that runs by its monitor, its init and
 * the freezer, one without a monitor's socket as down; null for one on its way up or down.
 */
const glanceAt = (places: LxcPlaces, name: ContainerName): RuntimeState | null => {
  if (!isConfigured(places, name)) return down('gone');
  if (!findLiveNames(places.procRoot, places.lxcPath).has(name)) return down('stopped');
  return seenRunning(places, name, lookAround(places));
};

/**
 * State and instance of one container; one on its way up or down costs an lxc-info(1). Throws when
 * its monitor does not answer within 5 s (a hook is at work): the state is unknown then.
 */
export const readState = async (places: LxcPlaces, name: ContainerName): Promise<RuntimeState> =>
  glanceAt(places, name) ?? (await askMonitor(places, name));

/** So long procfs alone is looked at: a child process for each look costs more than what it waits for. */
const GLANCE_MS = 20;

/** Waits until a container that was just started or stopped is `done` with it; answers its last state. */
export const settledState = async (
  places: LxcPlaces,
  name: ContainerName,
  done: (state: RuntimeState) => boolean,
  timeoutMs: number,
): Promise<RuntimeState> => {
  const glanced = await pollUntil(
    () => glanceAt(places, name),
    (state) => state !== null && done(state),
    GLANCE_MS,
  );
  if (glanced !== null && done(glanced)) return glanced;
  return pollUntil(() => readState(places, name), done, timeoutMs);
};

const SLICE = 25;

/**
 * States of many containers, as `readState` has them, in one pass that lets other work in between.
 * Containers whose monitor does not answer are missing in the answer: unknown.
 */
export const readStates = async (
  places: LxcPlaces,
  names: readonly ContainerName[],
): Promise<Map<ContainerName, RuntimeState>> => {
  const live = findLiveNames(places.procRoot, places.lxcPath);
  const around = lookAround(places);
  const states = new Map<ContainerName, RuntimeState>();
  const look = async (some: readonly ContainerName[]): Promise<ContainerName[]> => {
    const unseen: ContainerName[] = [];
    for (const [index, name] of some.entries()) {
      if (index % SLICE === SLICE - 1) await yieldToOthers();
      const seen = live.has(name)
        ? seenRunning(places, name, around)
        : down(isConfigured(places, name) ? 'stopped' : 'gone');
      if (seen === null) unseen.push(name);
      else states.set(name, seen);
    }
    return unseen;
  };
  let unseen = await look(names);
  if (unseen.length > 0) {
    // Monitors elsewhere than usual are found by their titles, in one pass over all processes.
    for (const [name, pid] of findMonitors(places.procRoot, places.lxcPath))
      places.monitorPids.set(name, pid);
    unseen = await look(unseen);
  }
  // One after another: each may hang for seconds, and they are few.
  for (const name of unseen) {
    const state = await readState(places, name).catch(() => null);
    if (state !== null) states.set(name, state);
  }
  return states;
};
