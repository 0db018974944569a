import type { Mutant } from './mutant.ts';

const checks = { project: 'unit', file: 'test/core/agent/checks.test.ts' } as const;
const lastCheck = { ...checks, test: 'R21: the last check before the stop' };
const restored = { project: 'unit', file: 'test/core/agent/restored-store.test.ts' } as const;
const taken = { project: 'unit', file: 'test/core/coordinator/taken-back.test.ts' } as const;
const noRoom = { project: 'unit', file: 'test/core/agent/no-room.test.ts' } as const;
const grants = { project: 'unit', file: 'test/core/coordinator/grants.test.ts' } as const;

/**
 * Rules of the protocol that a quick test has to notice too. The model and the simulation break many more of them, and are
 * run by `npm test`.
 */
export const protocolMutants: Mutant[] = [
  {
    rule: 'R20',
    what: 'a permission that is over frees the unit of its budget',
    file: 'src/core/coordinator/schedule.ts',
    from: "if (now >= grant.beginBefore && !begun(grant)) askVoid(turn, grant, 'it did not begin in time');",
    to: "if (now >= grant.beginBefore && !begun(grant)) { fleet.grants.delete(grant.id); touch(turn, { table: 'grants', key: grant.id }); }",
    killedBy: { ...taken, test: 'no time that passes frees a unit' },
  },
  {
    rule: 'R20',
    what: 'a deadline that is over frees the unit of its budget',
    file: 'src/core/coordinator/schedule.ts',
    from: 'grant.suspect = true;',
    to: 'fleet.grants.delete(grant.id);',
    killedBy: { ...taken, test: 'no time that passes frees a unit' },
  },
  {
    rule: 'R17',
    what: 'one more is down than the budget allows',
    file: 'src/core/coordinator/may-grant.ts',
    from: 'if (others + 1 <= state.limit)',
    to: 'if (others <= state.limit)',
    killedBy: { ...grants, test: 'what forbids a grant' },
  },
  {
    rule: 'R21',
    what: 'the check before the drain is the last one',
    file: 'src/core/agent/before-stop.ts',
    from: 'const decision = decideBegin(turn.agent, grant, answers, purpose, turn.mono);',
    to: "const decision = purpose === 'stop' ? { kind: 'allow' } : decideBegin(turn.agent, grant, answers, purpose, turn.mono);",
    killedBy: lastCheck,
  },
  {
    rule: 'R20',
    what: 'what was taken back is stopped all the same',
    file: 'src/core/agent/checks.ts',
    from: 'agent.record?.value.voids.includes(grantId) ?? false',
    to: "grantId === '' && agent.record !== null",
    killedBy: { ...checks, test: 'its grant is void' },
  },
  {
    rule: 'R13',
    what: 'an agent goes by a record of any age',
    file: 'src/core/agent/record.ts',
    from: 'if (age > recordLifeMs)',
    to: 'if (age < 0)',
    killedBy: { ...checks, test: 'a record that has not advanced for 15 s' },
  },
  {
    rule: 'R13',
    what: 'an agent goes by a record with a lower number',
    file: 'src/core/agent/record.ts',
    from: 'if (highest !== null && compareRecordNumbers(record.number, highest) < 0) return false;',
    to: '',
    killedBy: { ...checks, test: 'a lower number is ignored' },
  },
  {
    rule: 'R5',
    what: 'a job of any leader is taken, whatever its epoch',
    file: 'src/core/agent/jobs.ts',
    from: 'if (event.leader !== null && leadsAfter(heardLeader(agent), event.leader)) return;',
    to: '',
    killedBy: { ...restored, test: 'what a leader of before has put in is not taken' },
  },
  {
    rule: 'R29',
    what: 'an upgrade that found no room has failed',
    file: 'src/core/agent/room.ts',
    from: "!ok && code === 'disk-full'",
    to: "!ok && code === ''",
    killedBy: { ...noRoom, test: 'has not failed' },
  },
  {
    rule: 'R29',
    what: 'an upgrade that waits for room is given back each time that it is asked for',
    file: 'src/core/agent/room.ts',
    from: 'if (voided(agent, order.grantId) && now < order.beginBefore)',
    to: 'if (voided(agent, order.grantId))',
    killedBy: { ...noRoom, test: 'is not answered before there is room' },
  },
  {
    rule: 'R9',
    what: 'of each life that a host claims something is kept for ever',
    file: 'src/workers/control/report-order.ts',
    from: 'if (line.underWay <= 0) lines.delete(keyOf(message));',
    to: '',
    killedBy: {
      ...{ project: 'unit', file: 'test/workers/control/report-order.test.ts' },
      test: 'what is kept',
    },
  },
];
