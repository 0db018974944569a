import { leadsAfter } from '../../src/core/messages.ts';
import type { Leader, RecordNumber } from '../../src/core/messages.ts';
import { agentReaches, sendReport } from './redis.ts';
import { inLife } from './world.ts';
import type { Machine, World } from './world.ts';

const againMs = { first: 2_000, largest: 30_000 };
const paceMs = 250;
const windowSize = 500;

const leaderOf = ([generation, epoch]: RecordNumber): Leader => [generation, epoch];

/** Send what is not acknowledged, in order; what does not come through is sent again with growing pauses (R8). */
const run = (world: World, machine: Machine): void => {
  const { journal, foundSeq } = machine.agent;
  // R15: not before a record was read.
  if (foundSeq !== null) return;
  const first = journal.reports.keys().next().value;
  const now = world.time.now();
  const heard: RecordNumber = machine.durableRecord ?? [0, 0, 0];
  const isLater =
    machine.heardLeader !== null && leadsAfter(leaderOf(heard), leaderOf(machine.heardLeader));
  machine.heardLeader = heard;
  const isAnother = journal.incarnation !== machine.sentOf;
  if (isLater && first !== undefined) machine.sentSeq = Math.min(machine.sentSeq, first - 1);
  if (isLater || isAnother || first === undefined || first !== machine.lowest) {
    if (isAnother) machine.sentSeq = 0;
    machine.sentOf = journal.incarnation;
    machine.lowest = first ?? 0;
    machine.progressAt = now;
    machine.againMs = againMs.first;
  } else if (machine.sentSeq >= first && now - machine.progressAt >= machine.againMs) {
    machine.sentSeq = first - 1;
    machine.progressAt = now;
    machine.againMs = Math.min(machine.againMs * 2, againMs.largest);
  }
  if (first === undefined) return;
  sendAgainLater(world, machine);
  if (!agentReaches(world, machine)) return;
  // R8: nothing is told that the disk may forget.
  machine.synced = null;
  const acked = world.core.ackedOf(journal);
  const { incarnation } = journal;
  let sent = 0;
  for (const [seq, report] of journal.reports) {
    if (seq <= machine.sentSeq) continue;
    if ((sent += 1) > windowSize) break;
    sendReport(world, machine, { host: machine.id, incarnation, seq, echo: heard, acked, report });
    machine.sentSeq = seq;
  }
};

const sendAgainLater = (world: World, machine: Machine): void => {
  if (machine.resendAsked) return;
  machine.resendAsked = true;
  inLife(world, machine, againMs.first + 50, () => {
    machine.resendAsked = false;
    run(world, machine);
  });
};

export const wakeSender = (world: World, machine: Machine): void => {
  if (machine.sendAsked) return;
  machine.sendAsked = true;
  inLife(world, machine, machine.random.between(1, paceMs), () => {
    machine.sendAsked = false;
    run(world, machine);
  });
};
