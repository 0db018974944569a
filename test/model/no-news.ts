import { leaderOf } from '../../src/core/agent/record.ts';
import type { ControlRecord } from '../../src/core/messages.ts';
import { feed } from './agent-side.ts';
import type { Core } from './core.ts';
import { encode } from './encode.ts';
import { clone } from './world.ts';
import type { Machine, World } from './world.ts';

/** All that a record says, but for its number and what it acknowledges. */
const saying = ({ number, ackedSeq: _, ...rest }: ControlRecord): string =>
  encode([leaderOf(number), rest]);

/** Whether the record that Redis holds has a later number than the one that the agent has read this moment, and says the same. */
const saysNothingNew = ({ agent, register, alive, heard }: Machine, now: number): boolean => {
  const { record, journal } = agent;
  return (
    alive &&
    heard === 2 &&
    journal.settled &&
    record?.seenAt === now &&
    record.saidAt === now &&
    register !== null &&
    record.value.number[2] < register.number[2] &&
    saying(record.value) === saying(register)
  );
};

/**
 * A record that says nothing new may be read now or later: nothing goes another way for it. Each report that is applied
 * makes one, so that all of them are read at once: of two hosts whose server crashes 9,472 states of 22,425 are left.
 */
export const readWhatIsNoNews = (core: Core, world: World): void => {
  for (const machine of world.machines)
    if (machine.register !== null && saysNothingNew(machine, world.now))
      feed(core, world, machine, {
        kind: 'record',
        record: clone(machine.register),
        newIncarnation: 'never',
      });
};
