import fc from 'fast-check';
import type { Budget } from '../../src/core/service-settings.ts';
import { kinds } from './schedule.ts';
import type { Act, HostPlan, Kind, Plan, Schedule, ServicePlan } from './schedule.ts';

/** Acts and faults lie within so many virtual seconds, and none of them lasts longer. */
export const actsWithin = 150;
const longest = 60;
const mostActs = 24;
const mostHosts = 5;

const host: fc.Arbitrary<HostPlan> = fc.record({
  zone: fc.nat(2),
  cap: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
  ratePpm: fc.integer({ min: -400, max: 400 }),
  wallMinutes: fc.integer({ min: -60, max: 60 }),
});

const budget: fc.Arbitrary<Budget> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ maxUnavailable: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.constant({ maxUnavailable: '34%' }) },
  { weight: 2, arbitrary: fc.constant({ minAvailable: '50%' }) },
  { weight: 1, arbitrary: fc.constant({ maxUnavailable: 0 }) },
);

const service: fc.Arbitrary<ServicePlan> = fc.record({
  budget,
  mode: fc.constantFrom('auto', 'auto', 'auto', 'approve'),
  drains: fc.boolean(),
  restartBroken: fc.boolean(),
  boxes: fc.array(fc.nat(3), { minLength: mostHosts, maxLength: mostHosts }),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  hosts: fc.array(host, { minLength: 1, maxLength: mostHosts, size: 'max' }),
  services: fc.array(service, { minLength: 1, maxLength: 3, size: 'max' }),
  unclaimed: fc.constantFrom(0, 0, 1),
  hostCap: fc.integer({ min: 1, max: 4 }),
  zoneCap: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 3 }),
  fleetCap: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 3 }),
  maxFailures: fc.nat(2),
  canaries: fc.nat(2),
  standby: fc.boolean(),
  first: fc.constantFrom('others', 'others', 'ours', 'disruptive'),
  second: fc.option(fc.integer({ min: 3, max: 60 }), { freq: 3 }),
  maintained: fc.integer({ min: -1, max: 3 }),
});

const act: fc.Arbitrary<Act> = fc.record({
  // Most of them while the first waves are at work.
  at: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(actsWithin)),
  kind: fc.constantFrom(...kinds),
  host: fc.nat(mostHosts - 1),
  box: fc.nat(11),
  seconds: fc.integer({ min: 1, max: longest }),
  n: fc.nat(40),
});

/** Each schedule does without some kinds: what comes seldom among all of them comes often among few. */
const without: fc.Arbitrary<Kind[]> = fc.oneof(
  fc.constant<Kind[]>([]),
  fc.subarray([...kinds], { minLength: Math.floor(kinds.length / 2) }),
  fc.subarray([...kinds], { minLength: kinds.length - 8, maxLength: kinds.length - 2 }),
);

/** Uniform, not drawn to the ends of the ranges: these are all alike. */
export const schedules: fc.Arbitrary<Schedule> = fc.noBias(
  fc
    .record({
      seed: fc.noShrink(fc.nat()),
      plan,
      acts: fc.array(act, { maxLength: 3 * mostActs, size: 'max' }),
      left: fc.noShrink(without),
    })
    .map(({ seed, plan: fleet, acts, left }) => ({
      seed,
      plan: fleet,
      acts: acts
        .filter(({ kind }) => !left.includes(kind))
        .slice(0, mostActs)
        .sort((a, b) => a.at - b.at),
    })),
);
