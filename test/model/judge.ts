import type { Wave } from '../../src/core/coordinator/fleet.ts';
import type { Core } from './core.ts';
import { concerns } from './effects.ts';
import type { Judge } from './explore.ts';
import { boxName, Violation } from './world.ts';
import type { Scenario, World } from './world.ts';

/** A wave of which nothing more is to come; where nobody lifts a pause: but for the restarts that it holds. */
const waveOver = ({ fleet, keepsPauses }: World, { state, upgrades }: Wave): boolean =>
  keepsPauses && fleet.pauses.size > 0
    ? [...upgrades.values()].every((upgrade) => upgrade.state === 'done')
    : state !== 'open' && state !== 'stopping';

const over = (world: World): boolean =>
  world.fleet.grants.size === 0 &&
  [...world.fleet.waves.values()].every((wave) => waveOver(world, wave)) &&
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
      if (box.owed)
        return {
          rule: 'L2',
          message: `${name} died before its wave was through with it, and stays down`,
        };
      if (box.downBy === 'death' && world.fleet.containers.get(name)?.view.died !== true)
        return { rule: 'L4', message: `${name} died, and nobody is told` };
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
export const judgeFor = (core: Core, scenario: Scenario): Judge => ({
  state: (world) => {
    const { fleet } = world;
    const paused = [...fleet.pauses.values()]
      .map(({ level }) => level)
      .filter((level) => core.pauseState(fleet, level, world.now).state === 'paused');
    for (const { id: machine, todo, agent } of world.machines) {
      const host = fleet.hosts.get(machine);
      const { incarnation, lastSeq, reports } = agent.journal;
      if (
        !world.restored &&
        host?.incarnation === incarnation &&
        lastSeq > host.ackedSeq &&
        !reports.has(host.ackedSeq + 1)
      )
        throw new Violation('R8', `${machine} has forgotten a report that is not acknowledged`);
      const stopping = todo.some((what) => {
        const [kind, id = ''] = what.split(' ');
        const grant = agent.journal.grants.get(id);
        return (
          kind === 'stop' &&
          grant !== undefined &&
          grant.order.expect.kind !== 'retry' &&
          paused.some((level) => concerns(level, machine, grant.waveId))
        );
      });
      if (stopping) throw new Violation('I5', 'a stop is about to begin after `paused` is shown');
    }
  },
  end: (world) => {
    if (!over(world)) return false;
    // Old code may stay only where a person has decided against each wave that would have replaced it.
    const stopped = world.decisions >= (scenario.waves ?? 1);
    const held = world.keepsPauses && world.fleet.pauses.size > 0;
    const wrong = amiss(world, stopped || held);
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
