import type { ContainerName } from '../../core/ids.ts';
import type { RuntimeState } from '../runtime.ts';
import { findLeftoverInits } from './leftover-processes.ts';
import { runLxcTool } from './lxc-tool.ts';
import type { ToolResult } from './lxc-tool.ts';
import { pollUntil } from './poll-until.ts';
import { lookAround, readState, settledState } from './read-state.ts';
import type { LxcPlaces } from './ask-monitor.ts';

export interface StartOptions {
  /** Told what lxc-start complained of; the state decides, not the tool. */
  report: (tool: string, name: ContainerName, result: ToolResult) => void;
}

/** Pre-start and start hooks may take their time; lxc-start itself waits for RUNNING. */
const START_TIMEOUT_MS = 120_000;
const LEFTOVER_TIMEOUT_MS = 10_000;
/** How long a container may remain between two states, once lxc-start has ended. */
const SETTLE_TIMEOUT_MS = 5_000;

/**
 * Starts a container and answers the state that is seen once it has settled: `stopped` for an init
 * that cannot be run, and for one that has ended already (lxc-start exits with 0 then). One that
 * ends a moment later is for the health check to find. Starting one that runs changes nothing. Throws when processes of its former life do not end (a second mount of the upper layer
 * would destroy data), or when its monitor does not answer.
 */
export const startContainer = async (
  places: LxcPlaces,
  name: ContainerName,
  { report }: StartOptions,
): Promise<RuntimeState> => {
  const before = await readState(places, name);
  if (before.state === 'gone' || before.instance !== null) return before;
  const leftovers = await pollUntil(
    () => findLeftoverInits(name, places.procRoot, lookAround(places).freezers),
    (pids) => pids.length === 0,
    LEFTOVER_TIMEOUT_MS,
  );
  if (leftovers.length > 0)
    throw new Error(
      `container ${name}: process ${leftovers.join(', ')} of its former life is still there without a monitor; end it before the container is started (kill -9 ${leftovers.join(' ')})`,
    );
  const openFiles = places.openFiles.get(name);
  const options = {
    timeoutMs: START_TIMEOUT_MS,
    ...(openFiles === undefined ? {} : { openFiles }),
  };
  const run = (): Promise<ToolResult> => runLxcTool('lxc-start', places.lxcPath, name, [], options);
  // It may be down by our doing: what was not run, or was ended by somebody, is begun once more.
  const result = await run().catch(run);
  if (result.exitCode !== 0) report('lxc-start', name, result);
  return settledState(
    places,
    name,
    ({ state, instance }) => instance !== null || state === 'stopped' || state === 'gone',
    SETTLE_TIMEOUT_MS,
  );
};
