import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerName } from '../../core/ids.ts';
import type { RuntimeState } from '../runtime.ts';
import { runLxcTool } from './lxc-tool.ts';
import { findLiveNames } from './monitors.ts';
import { readProcessStat } from './process-stat.ts';

/** Where a runtime looks, and what it remembers. */
export interface LxcPlaces {
  lxcPath: string;
  procRoot: string;
  /** Pids of monitors as they were last seen: a hint that is checked, never believed. */
  monitorPids: Map<ContainerName, number>;
  /** Soft limits on open files that containers had before we stopped them: they get the same again. */
  openFiles: Map<ContainerName, number>;
}

/** lxc-info asks the monitor, which answers at once unless one of its hooks is at work. */
const INFO_TIMEOUT_MS = 5_000;

/** A state in which there is no instance. */
export const down = (
  state: Exclude<RuntimeState['state'], 'running' | 'frozen'>,
): RuntimeState => ({
  state,
  instance: null,
});

/** Whether there is such a container. */
export const isConfigured = (places: LxcPlaces, name: ContainerName): boolean =>
  existsSync(join(places.lxcPath, name, 'config'));

/** Differs from boot to boot; in a container that is a host, from start to start. */
export const readBootId = (procRoot: string): string =>
  readFileSync(`${procRoot}/sys/kernel/random/boot_id`, 'utf8').trim();

/** State and init pid out of `lxc-info -s -p`, with or without its labels. */
export const parseInfo = (stdout: string): { state: string; pid: number | null } | null => {
  const state = /\b(STOPPED|STARTING|RUNNING|STOPPING|ABORTING|FREEZING|FROZEN|THAWED)\b/.exec(
    stdout,
  )?.[1];
  if (state === undefined) return null;
  const pid = /^(?:PID:\s*)?(\d{1,10})$/m.exec(stdout)?.[1];
  return { state, pid: pid === undefined ? null : Number(pid) };
};

const instanceState = (
  places: LxcPlaces,
  name: ContainerName,
  state: 'running' | 'frozen',
  pid: number,
): RuntimeState => {
  const stat = readProcessStat(places.procRoot, pid);
  // Its init ended between lxc-info's look and ours: the monitor is about to say so too.
  if (stat === null || stat.state === 'Z') return down('stopping');
  places.monitorPids.set(name, stat.parent);
  const { startTime } = stat;
  return {
    state,
    instance: { bootId: readBootId(places.procRoot), initPid: pid, startTime },
  };
};

/**
 * State and instance as the container's monitor tells them: one lxc-info(1). Throws when it does not
 * answer within 5 s (one of its hooks is at work): the state is unknown then.
 */
export const askMonitor = async (places: LxcPlaces, name: ContainerName): Promise<RuntimeState> => {
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
      return instanceState(places, name, info.state === 'FROZEN' ? 'frozen' : 'running', info.pid);
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
