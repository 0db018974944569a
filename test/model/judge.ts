import type { Core } from './core.ts';
import type { Judge } from './explore.ts';
import { boxName, Violation } from './world.ts';
import type { World } from './world.ts';

const over = (world: World): boolean =>
  world.fleet.grants.size === 0 &&
  [...world.fleet.waves.values()].every(({ state }) => state !== 'open' && state !== 'stopping') &&
  world.machines.every(
    ({ alive, todo, agent, stops, dpkg, untold }) =>
      alive &&
      todo.length === 0 &&
      stops.length === 0 &&
      dpkg === 'rest' &&
      !untold &&
      agent.journal.settled &&
      agent.journal.reports.size === 0 &&
      [...agent.journal.grants.values()].every(({ end }) => end !== null),
  );

/** What is not as it should be when all is said and done; null: all is well. */
const amiss = (world: World, stopped: boolean): { rule: string; message: string } | null => {
  for (const { boxes, id, intents, lower } of world.machines) {
    for (const [index, box] of boxes.entries()) {
      const name = `${id}/${boxName(index)}`;
      if (!box.up && box.downBy === 'us' && !box.alerted)
        return { rule: 'L2', message: `${name} was stopped by us and stays down` };
      if (box.up && !box.serves && !box.maintained && !box.alerted)
        return { rule: 'L3', message: `the drain of ${name} is not undone` };
      if (box.serves && box.maintained)
        return { rule: 'R28', message: `${name} was in an operator's maintenance and serves` };
      if (box.up && box.version !== lower && !stopped)
        return { rule: 'L1', message: `${name} still runs old code` };
    }
    if (intents.length > 0)
      return { rule: 'I4', message: `the stop of ${intents.join(', ')} has no outcome` };
  }
  return null;
};

/** The invariants that can be read off a state, and what counts as an end. */
export const judgeFor = (core: Core): Judge => ({
  state: (world) => {
    const { fleet } = world;
    const paused =
      fleet.pauses.size > 0 && core.pauseState(fleet, { level: 'fleet' }).state === 'paused';
    for (const { id, todo, agent } of world.machines) {
      const host = fleet.hosts.get(id);
      const { incarnation, lastSeq, reports } = agent.journal;
      if (
        host?.incarnation === incarnation &&
        lastSeq > host.ackedSeq &&
        !reports.has(host.ackedSeq + 1)
      )
        throw new Violation('R8', `${id} has forgotten a report that is not acknowledged`);
      const stopping = todo.some((what) => {
        const [kind, id = ''] = what.split(' ');
        const grant = agent.journal.grants.get(id);
        return kind === 'stop' && grant !== undefined && grant.order.expect.kind !== 'retry';
      });
      if (paused && stopping)
        throw new Violation('I5', 'a stop is about to begin after `paused` is shown');
    }
  },
  end: (world) => {
    if (!over(world)) return false;
    const stopped = (world.left['stop wave'] ?? 1) === 0;
    const wrong = amiss(world, stopped);
    return wrong === null;
  },
  stuck: (world) => {
    const where = describe(world);
    const wrong = amiss(world, false);
    return {
      rule: wrong?.rule ?? 'L1',
      message: `${wrong?.message ?? 'nothing more happens'}; ${where}`,
    };
  },
});

const describe = ({ fleet, machines }: World): string =>
  [
    `grants: ${[...fleet.grants.values()].map(({ id, container, step, failed }) => `${id} ${container ?? ''} ${step ?? 'granted'}${failed ? ' failed' : ''}`).join(', ') || 'none'}`,
    `waves: ${[...fleet.waves.values()].map(({ state, pausedBy, members }) => `${state}${pausedBy === null ? '' : ' paused'} (${[...members].map(([id, { state: member }]) => `${id} ${member}`).join(', ')})`).join('; ') || 'none'}`,
    ...machines.map(
      ({ id, alive, todo, boxes }) =>
        `${id}${alive ? '' : ' dead'}: ${boxes.map(({ up, version, serves, sick }) => `${up ? 'up' : 'down'} v${version}${serves ? '' : ' drained'}${sick ? ' sick' : ''}`).join(', ')}; under way: ${todo.join(', ') || 'nothing'}`,
    ),
  ].join('; ');
