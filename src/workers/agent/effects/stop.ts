import type { AgentGrant } from '../../../core/agent/journal.ts';
import type { ContainerName } from '../../../core/ids.ts';
import type { ContainerView } from '../../../core/messages.ts';
import type { Instance } from '../../../core/observation.ts';
import type { ChildIdentity } from '../../../host/runtime.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import { seenState } from '../seen-state.ts';
import { settingsOf } from '../work.ts';
import type { Work } from '../work.ts';

/** What stopping works with. */
type Stopping = Pick<Work, 'host' | 'alert'>;

/** A stop of a former process may take this long beyond the container's own time. */
const strayGraceMs = 15_000;

/** What is seen; where nothing can be seen, `changing`, so that the check asks again (R24). */
const look = async (
  work: Stopping,
  name: ContainerName,
): Promise<{ state: ContainerView['state']; instance: Instance | null }> => {
  try {
    const now = await work.host.runtime.state(name);
    return { state: seenState(now), instance: now.instance };
  } catch {
    return { state: 'changing', instance: null };
  }
};

/** Stop the container. The command begins in the tick of the commit of `stopping` (R22). */
export const stop = async (
  work: Stopping,
  grant: AgentGrant,
  life: Pick<Life, 'tell'>,
): Promise<void> => {
  const { grantId, container, service } = grant.order;
  try {
    const after = await work.host.runtime.stop(container, {
      timeoutMs: settingsOf(work, service).stopTimeoutMs,
      // R23: in the journal before it is awaited.
      onChild: (child) => {
        life.tell({ kind: 'child', grantId, child });
      },
    });
    life.tell({ kind: 'stop-over', grantId, state: seenState(after), instance: after.instance });
  } catch (error) {
    work.alert(`${container}: its stop ended in an error: ${errorText(error)}`);
    life.tell({ kind: 'stop-over', grantId, ...(await look(work, container)) });
  }
};

/** R24: a stop of a former process is waited for, and ended when it does not end; then the container is looked at. */
export const awaitStrayStop = async (
  work: Stopping,
  grant: AgentGrant,
  life: Pick<Life, 'tell'>,
): Promise<void> => {
  const { grantId, container, service } = grant.order;
  const { stops } = work.host;
  try {
    const found: ChildIdentity[] = stops.atWork().filter(({ name }) => name === container);
    if (grant.child !== null) found.push(grant.child);
    const limitMs = settingsOf(work, service).stopTimeoutMs + strayGraceMs;
    await Promise.all(
      found.map(async (child) => {
        if (!(await stops.ended(child, limitMs))) await stops.end(child);
      }),
    );
  } catch (error) {
    work.alert(`${container}: a stop of a former process cannot be ended: ${errorText(error)}`);
  }
  life.tell({ kind: 'stop-over', grantId, ...(await look(work, container)) });
};

/** R15: end whatever of ours is still stopping containers, then look at all of them. */
export const endStrayStops = async (work: Work, life: Life): Promise<void> => {
  const { runtime, stops } = work.host;
  for (;;) {
    try {
      await Promise.all(stops.atWork().map((child) => stops.end(child)));
      const names = (await runtime.list()).map(({ name }) => name);
      const states = await runtime.states(names);
      const seen = names.map((name) => {
        const state = states.get(name);
        return [name, state === undefined ? 'changing' : seenState(state)] as const;
      });
      life.tell({ kind: 'stray-stops-ended', states: new Map(seen) });
      return;
    } catch (error) {
      work.alert(`stops of a former incarnation cannot be ended: ${errorText(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      if (life.signal.aborted) return;
    }
  }
};
