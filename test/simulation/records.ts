import { compareRecordNumbers } from '../../src/core/messages.ts';
import { feed, newId } from './agent.ts';
import { agentReaches } from './redis.ts';
import { wakeSender } from './reports.ts';
import { count, inLife, monoOf } from './world.ts';
import type { Machine, World } from './world.ts';

/** An agent polls its record every 250 ms while anything is open, else every 2 s. */
const pollMs = { busy: 250, quiet: 2_000 };

/** Read the control record now; answers why that cannot be, or null (R13). */
export const hear = (world: World, machine: Machine): string | null => {
  if (!agentReaches(world, machine)) return 'the control record cannot be read';
  if (machine.random.chance(machine.weather.recordsLost)) {
    count(world, 'a record could not be read');
    return 'the control record cannot be read';
  }
  const record = world.redis.records.get(machine.id);
  if (record === undefined) return 'there is no control record';
  const { read } = machine;
  if (read !== null && compareRecordNumbers(read.number, record.number) === 0) return null;
  const highest = machine.agent.journal.highestRecord;
  const isLower = highest !== null && compareRecordNumbers(record.number, highest) < 0;
  if (!isLower) {
    if (read !== null) {
      machine.rises += 1;
      machine.roseAt = monoOf(world, machine);
    }
    machine.read = record;
  }
  const isFirst = machine.agent.foundSeq !== null;
  feed(world, machine, { kind: 'record', record, newIncarnation: newId(world, 'i') });
  if (isFirst) wakeSender(world, machine);
  return null;
};

/** There may be another record: the next poll finds it. */
export const askToRead = (world: World, machine: Machine): void => {
  if (machine.readAsked || !machine.alive) return;
  machine.readAsked = true;
  const late = machine.weather.lateMs > 0 ? machine.random.below(machine.weather.lateMs) : 0;
  const every = machine.tickAsked ? pollMs.busy : pollMs.quiet;
  inLife(world, machine, machine.random.between(1, every) + late, () => {
    machine.readAsked = false;
    if (!agentReaches(world, machine) || hear(world, machine) === null) return;
    // What could not be read is read by the next poll.
    if (world.redis.records.has(machine.id)) askToRead(world, machine);
  });
};
