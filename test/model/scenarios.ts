import type { Fault, Scenario } from './world.ts';

const named = (
  name: string,
  hosts: Scenario['hosts'],
  faults: Partial<Record<Fault, number>>,
  more: Partial<Scenario> = {},
): Scenario => ({ name, hosts, budget: 1, hostCap: 2, faults, ...more });

const one = (boxes: number): Scenario['hosts'] => [{ boxes }];
const two = [{ boxes: 1 }, { boxes: 1 }];

/** Processes that die, and leaders that change. */
const crashes: Scenario[] = [
  named('three containers, the agent crashes anywhere', one(3), { 'agent crash': 1 }),
  named('three containers, the server crashes anywhere', one(3), { 'server crash': 1 }),
  named('a paused leader whose record comes late', one(2), { 'leader paused': 1, delay: 1 }),
  named('two hosts, the server crashes', two, { 'server crash': 1 }),
  named('a crash around an operator’s own maintenance', [{ boxes: 2, maintained: 0 }], {
    'agent crash': 1,
  }),
  named('nothing to drain, and the agent crashes', one(2), { 'agent crash': 1 }, { drains: false }),
  named(
    'two hosts, nothing to drain, an agent crashes',
    two,
    { 'agent crash': 1 },
    { drains: false },
  ),
  named(
    'two hosts, nothing to drain, a paused leader',
    two,
    { 'leader paused': 1 },
    { drains: false },
  ),
  named('one container, agent and server crash', one(1), { 'agent crash': 1, 'server crash': 1 }),
  named('one container, a crash and a paused leader', one(1), {
    'agent crash': 1,
    'leader paused': 1,
  }),
  named(
    'one container, nothing to drain, a retry and a crash',
    one(1),
    { sick: 1, retry: 1, 'agent crash': 1 },
    { drains: false },
  ),
];

/** Messages that are lost, doubled, late or out of order. */
const messages: Scenario[] = [
  named('three containers, no fault', one(3), {}),
  named('three containers, a job is lost', one(3), { 'job lost': 1 }),
  named('three containers, a job is doubled', one(3), { 'job doubled': 1 }),
  named('three containers, the record is lost', one(3), { 'record lost': 1 }),
  named('three containers, all is late', one(3), { delay: 1 }),
  named('all is late twice', one(2), { delay: 2 }),
  named('a report overtakes another', one(2), { 'report overtakes': 1 }),
  named('jobs lost and doubled', one(2), { 'job lost': 1, 'job doubled': 1 }),
  named('two hosts, a job is lost', two, { 'job lost': 1 }),
  named('two hosts, no fault', [{ boxes: 2 }, { boxes: 1 }], {}),
  named('three containers, a report is doubled', one(3), { 'report doubled': 1 }),
  named('a report is doubled, and the server crashes', one(2), {
    'report doubled': 1,
    'server crash': 1,
  }),
  named('three containers, Redis comes back empty', one(3), { 'redis empty': 1 }),
  named('Redis comes back empty, and the server crashes', one(2), {
    'redis empty': 1,
    'server crash': 1,
  }),
  named('two hosts, Redis comes back empty', two, { 'redis empty': 1 }),
  named('one container, a doubled job and a crash of the agent', one(1), {
    'job doubled': 1,
    'agent crash': 1,
  }),
  named('one container, a job is lost, and all is late', one(1), { 'job lost': 1, delay: 1 }),
];

/** What people do: pause, freeze, stop, retry, park, and owners with their own containers. */
const people: Scenario[] = [
  named('three containers, a pause and its end', one(3), { pause: 1 }),
  named('a freeze and its end', one(2), { freeze: 1 }),
  named('three containers, the wave is stopped', one(3), { 'stop wave': 1 }),
  named('an owner stops a container', one(2), { 'owner stops': 1 }),
  named('an owner restarts a container', one(2), { 'owner restarts': 1 }),
  named('one container, its monitor is killed, and the agent crashes', one(1), {
    'monitor killed': 1,
    'agent crash': 1,
  }),
  named(
    'one container, nothing to drain, its monitor is killed, and its owner stops it',
    one(1),
    { 'monitor killed': 1, 'owner stops': 1 },
    { drains: false },
  ),
  named('one container, a pause and a crash of the server', one(1), {
    pause: 1,
    'server crash': 1,
  }),
  named(
    'one container, nothing to drain, a pause and a crash of the agent',
    one(1),
    { pause: 1, 'agent crash': 1 },
    { drains: false },
  ),
  named('one container, an owner’s stop and a crash', one(1), {
    'owner stops': 1,
    'agent crash': 1,
  }),
  named('one container, an owner’s restart and a crash', one(1), {
    'owner restarts': 1,
    'agent crash': 1,
  }),
  named('one container, a pause, and all is late', one(1), { pause: 1, delay: 1 }),
  named('a failed start that is parked', one(2), { 'start fails': 1, park: 1 }),
  named('one container, a pause of the service and its end', one(1), { 'pause service': 1 }),
  named('a pause of the wave and its end', one(2), { 'pause wave': 1 }),
  named('one container, a pause of the host and its end', one(1), { 'pause host': 1 }),
  named('one container, a pause of the queue and its end', one(1), { 'pause queue': 1 }),
  named('one container, a failure, and a pause of the fleet', one(1), { sick: 1, pause: 1 }),
  named('a restart by hand, and one wave is stopped', one(2), {
    'restart by hand': 1,
    'stop wave': 1,
  }),
];

/** Two waves of two packages that hold the same containers. */
const twoWaves: Scenario[] = [
  named('two waves, no fault', one(2), {}, { waves: 2 }),
  named('two waves, one is stopped', one(2), { 'stop wave': 1 }, { waves: 2 }),
  named('two waves, one is declined', one(2), { decline: 1 }, { waves: 2 }),
  named('two waves, both are stopped', one(1), { 'stop wave': 2 }, { waves: 2 }),
  named('one container, two waves, one is paused', one(1), { 'pause wave': 1 }, { waves: 2 }),
  named(
    'two waves, one is declined, and the agent crashes',
    one(1),
    { decline: 1, 'agent crash': 1 },
    { waves: 2 },
  ),
  named(
    'one container, two waves, one is stopped, and it stays unhealthy',
    one(1),
    { 'stop wave': 1, sick: 1 },
    { waves: 2 },
  ),
];

/** What goes wrong on a host: drains, starts, health. */
const hosts: Scenario[] = [
  named('three containers, the drain fails', one(3), { 'drain fails': 1 }),
  named('three containers, the start fails', one(3), { 'start fails': 1 }),
  named('three containers, one stays unhealthy', one(3), { sick: 1 }),
  named('three containers, the load balancer is silent', one(3), { 'undrain fails': 1 }),
  named('a retry of what stayed unhealthy', one(2), { sick: 1, retry: 1 }),
  named('nothing to drain, and a retry', one(2), { sick: 1, retry: 1 }, { drains: false }),
  named('a retry of what did not start', one(2), { 'start fails': 1, retry: 1 }),
  named('two hosts, a container stays unhealthy', two, { sick: 1 }),
  named('another container falls sick', one(2), { 'falls sick': 1 }),
  named('the cap of a host', one(3), {}, { budget: 2, hostCap: 1 }),
];

/** Package transactions, and journals that are lost. */
const transactions: Scenario[] = [
  named('somebody upgrades in the middle', one(2), { 'outside upgrade': 1 }),
  named('one container, somebody upgrades in the middle, and breaks the host', one(1), {
    'outside upgrade': 1,
    'host breaks': 1,
  }),
  named(
    'an upgrade of ours that breaks the host, and the agent crashes',
    one(1),
    { 'host breaks': 1, 'agent crash': 1 },
    { ownUpgrade: true },
  ),
  named('an upgrade of ours in the middle', one(2), { upgrade: 1 }),
  named(
    'an upgrade of ours, and the agent crashes',
    one(2),
    { 'agent crash': 1 },
    {
      ownUpgrade: true,
    },
  ),
  named('an upgrade of ours that fails', one(2), { 'upgrade fails': 1 }, { ownUpgrade: true }),
  named('an upgrade of ours, and a pause', one(2), { pause: 1 }, { ownUpgrade: true }),
  named('one container, the journal is lost', one(1), { 'journal lost': 1 }),
  named(
    'an upgrade of ours under a pause of its service that nobody lifts',
    one(2),
    { 'pause service': 1 },
    { ownUpgrade: true, keepsPauses: true },
  ),
  named(
    'an upgrade of ours under a pause of another wave that nobody lifts',
    one(1),
    { 'pause wave': 1, 'restart by hand': 1 },
    { ownUpgrade: true, keepsPauses: true },
  ),
];

/** With so many states that they are explored on demand only (`npm run test:model:long`), most of them pairs of faults. */
const large: Scenario[] = [
  named(
    'one container, nothing to drain, somebody upgrades, and the agent crashes',
    one(1),
    { 'outside upgrade': 1, 'agent crash': 1 },
    { drains: false },
  ),
  named('the journal is lost', one(2), { 'journal lost': 1 }),
  named('agent and server crash', one(2), { 'agent crash': 1, 'server crash': 1 }),
  named('Redis comes back empty, and the agent crashes', one(2), {
    'redis empty': 1,
    'agent crash': 1,
  }),
  named('three containers on two hosts, an agent crashes', [{ boxes: 2 }, { boxes: 1 }], {
    'agent crash': 1,
  }),
  named('somebody upgrades in the middle, and breaks the host', one(2), {
    'outside upgrade': 1,
    'host breaks': 1,
  }),
  named('a failure, and a pause of the fleet', one(2), { sick: 1, pause: 1 }),
  named('two waves, one is paused', one(2), { 'pause wave': 1 }, { waves: 2 }),
  named('one container, somebody upgrades, and the agent crashes', one(1), {
    'outside upgrade': 1,
    'agent crash': 1,
  }),
  named('one container, a pause and a crash of the agent', one(1), { pause: 1, 'agent crash': 1 }),
  named('one container, a retry and a crash', one(1), { sick: 1, retry: 1, 'agent crash': 1 }),
  named('two hosts, an agent crashes', two, { 'agent crash': 1 }),
  named('two hosts, a paused leader', two, { 'leader paused': 1 }),
  named('two hosts, a pause and its end', two, { pause: 1 }),
  named('two hosts, a pause of one of them', two, { 'pause host': 1 }),
  named('two hosts, somebody upgrades one of them', two, { 'outside upgrade': 1 }),
  named('two hosts, an owner stops a container', two, { 'owner stops': 1 }),
  named('a failure in a wave that is stopped', one(2), { sick: 1, 'stop wave': 1 }),
  named('the drain fails, and the agent crashes', one(2), { 'drain fails': 1, 'agent crash': 1 }),
  named(
    'one container, an upgrade of ours, a pause, and the agent crashes',
    one(1),
    { pause: 1, 'agent crash': 1 },
    { ownUpgrade: true },
  ),
  named('an upgrade of ours, and all is late', one(2), { delay: 2 }, { ownUpgrade: true }),
];

/** All of them, the longest first, so that no core of the machine is left with one at the end. */
export const scenarioGroups = (long: boolean): [title: string, scenarios: Scenario[]][] => [
  ['package transactions and lost journals', transactions],
  ['crashes and changes of leader', crashes],
  ['what people do', people],
  ['two waves', twoWaves],
  ['messages', messages],
  ['what goes wrong on a host', hosts],
  ...(long ? [['the largest', large] satisfies [string, Scenario[]]] : []),
];
