import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Need } from '../../../src/core/advisories/needs.ts';
import { decisionsNow } from '../../../src/core/coordinator/decisions.ts';
import { explainNeed } from '../../../src/core/coordinator/explain-need.ts';
import type { Wave } from '../../../src/core/coordinator/fleet.ts';
import { ruleFor } from '../../../src/core/coordinator/policy.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { HostUpgrade } from '../../../src/core/messages.ts';
import * as worlds from './advisory-world.ts';
import type { AdvisoryWorld } from './advisory-world.ts';

/** Always the same few sequences, or many others (`npm run test:unit:long`). */
const isLong = process.env['GROUNDSWELL_LONG'] !== undefined;

/** What was seen to happen, by which later orders are judged; none of it is taken from the code under test. */
interface Seen {
  orders: number;
  /** Wave → `host package=version` that a person approved with it. */
  approved: Map<string, Set<string>>;
  /** `host package=version` → whether a person, who decided against it, knew that it is exploited. */
  against: Map<string, boolean>;
  /** What came to nothing on a host, until a person asks for it again or approves it. */
  inVain: Set<string>;
  /** All that was ordered on a host or decided against, ever. */
  settled: Set<string>;
  /** `host source` of which an upgrade failed and waits for a person → in which wave, and of which packages. */
  failed: Map<string, { waveId: string; names: string[] }>;
  /** Wave → package → what its first host got. */
  proved: Map<string, Map<string, string>>;
  /** `host package=version` → when its mirror had not got it. */
  refused: Map<string, number>;
}

const minute = 60_000;
const keyOf = (name: string, version: string | null): string =>
  `${name.replace(':amd64', '')}=${version ?? ''}`;

/** `excluded`: with what hosts that were excluded had waited for. */
const pendingOf = (wave: Wave, excluded = false): { host: string; what: string }[] =>
  [...wave.upgrades].flatMap(([host, { state, packages }]) =>
    state === 'left-out' && !excluded
      ? []
      : packages.map(({ name, version }) => ({ host, what: keyOf(name, version) })),
  );

/** What the coordinator was told last, which is all that it can go by. */
const toldOf = ({ here }: AdvisoryWorld, host: string): readonly Need[] =>
  here.fleet.hosts.get(host)?.needs?.list ?? [];

/** By itself only what every rule of today gives, for all that is upgraded with it. */
const judgeByItself = (
  world: AdvisoryWorld,
  seen: Seen,
  wave: Wave,
  host: string,
  [name, version]: [string, string],
): void => {
  const what = `${host} ${keyOf(name, version)}`;
  const needs = toldOf(world, host);
  const own = needs.find((need) => need.name === name);
  expect(wave.cause).toMatchObject({ mode: 'auto' });
  expect(world.asking.has(host) ? what : '').toBe('');
  expect([...seen.against.keys()]).not.toContain(what);
  expect([...seen.inVain]).not.toContain(what);
  // What failed and was mended by others holds nothing up.
  const failed = seen.failed.get(`${host} ${worlds.sourceOf(name)}`);
  if (failed?.names.some((one) => needs.some((need) => need.name === one)) === true)
    expect(world.here.fleet.waves.get(failed.waveId)?.state).not.toBe('open');
  for (const sibling of [name, ...(own?.siblings ?? [])]) {
    const need = needs.find((one) => one.name === sibling && one.target !== null) ?? own;
    const exploited = need?.exploited ?? false;
    const rule = ruleFor(world.policy, worlds.core, {
      ...{ name: sibling, kind: 'security', severity: 'high', exploited },
    });
    expect(rule.mode).toBe('auto');
    if (sibling !== name) continue;
    const isUrgent = needs.some(
      (one) => one.exploited && worlds.sourceOf(one.name) === worlds.sourceOf(name),
    );
    const age = world.here.wall.ms - worlds.firstSeen(world, name, Number(version));
    expect(age).toBeGreaterThanOrEqual(Math.max(isUrgent ? 0 : rule.minAgeMs, rule.earliestMs));
  }
};

/** Outside the maintenance window only what itself has come to its latest start. */
const judgeWindow = (
  world: AdvisoryWorld,
  name: string,
  { version, exploited }: { version: number; exploited: boolean },
): void => {
  if (world.here.fleet.settings.window === null) return;
  const { latestMs } = ruleFor(world.policy, worlds.core, {
    ...{ name, kind: 'security', severity: 'high', exploited },
  });
  expect({ name, latestMs }).not.toEqual({ name, latestMs: null });
  expect(world.here.wall.ms - worlds.firstSeen(world, name, version)).toBeGreaterThanOrEqual(
    latestMs ?? 0,
  );
};

const judgeOrder = (world: AdvisoryWorld, seen: Seen, host: string, order: HostUpgrade): void => {
  const { fleet, now } = world.here;
  const wave = fleet.waves.get(order.waveId);
  if (wave === undefined) throw new Error('an order of no wave');
  expect(wave).toMatchObject({ state: 'open', pausedBy: null });
  expect(fleet.hosts.get(host)?.state).toBe('enrolled');
  expect(order.packages.length).toBeGreaterThan(0);
  for (const { name: full, want, version } of order.packages) {
    const name = full.replace(':amd64', '');
    const what = keyOf(name, version);
    expect(want).toBe('exact');
    const need = toldOf(world, host).find((one) => one.name === name);
    const exploited = need?.exploited ?? false;
    expect(need).toBeDefined();
    // Neither what it has already, which says nothing of what it needs, nor anything older.
    expect(Number(version)).toBeGreaterThan(Number(need?.installed));
    seen.settled.add(`${host} ${what}`);
    judgeWindow(world, name, { version: Number(version), exploited });
    expect(
      ruleFor(world.policy, worlds.core, {
        ...{ name, kind: 'security', severity: 'high', exploited },
      }).mode,
    ).not.toBe('observe');
    expect(now - (seen.refused.get(`${host} ${what}`) ?? -Infinity)).toBeGreaterThanOrEqual(
      15 * minute,
    );
    expect(seen.proved.get(wave.id)?.get(name) ?? version).toBe(version);
    const approved = seen.approved.get(wave.id);
    if (approved === undefined) judgeByItself(world, seen, wave, host, [name, version ?? '']);
    else {
      expect([...approved]).toContain(`${host} ${what}`);
    }
  }
};

/** Take in what a step wants done, and hold it against what was seen before. */
const hear = (world: AdvisoryWorld, seen: Seen, { sends }: Commands): void => {
  for (const send of sends) {
    if (send.kind !== 'host-upgrade') continue;
    judgeOrder(world, seen, send.host, send.payload);
    world.ordered.set(send.host, send.payload);
    seen.orders += 1;
  }
};

/** A host tells what it needs; a decision about a package counts for as long as something of it is missing. */
const tell = (world: AdvisoryWorld, seen: Seen, host: string): void => {
  const commands = worlds.tellNeeds(world, host);
  const needed = new Set(toldOf(world, host).map(({ name }) => name));
  for (const { name } of worlds.packages)
    if (!needed.has(name))
      for (const key of [...seen.against.keys(), ...seen.inVain])
        if (key.startsWith(`${host} ${name}=`)) {
          seen.against.delete(key);
          seen.inVain.delete(key);
        }
  hear(world, seen, commands);
};

/** Most hosts lack the fix of something, and most mirrors have it: what matters comes after that. */
const begin = (world: AdvisoryWorld, seen: Seen): void => {
  for (const { name } of worlds.packages) {
    world.fixed.set(name, 2);
    for (const { mirror } of world.machines.values()) mirror.set(name, 2);
  }
  for (const host of worlds.hostIds) tell(world, seen, host);
};

const act = (world: AdvisoryWorld, seen: Seen, move: Move): void => {
  const { here, machines } = world;
  const take = (commands: Commands): void => hear(world, seen, commands);
  const host = worlds.hostIds[move.host] ?? '';
  const name = worlds.packages[move.package]?.name ?? '';
  const open = [...here.fleet.waves.values()].filter(({ state }) => state === 'open');
  const wave = open[move.n % Math.max(1, open.length)];
  switch (move.kind) {
    case 'publish':
      world.fixed.set(name, move.n);
      return;
    case 'mirror':
      // Of all hosts, or of one alone, whose mirror then is another.
      for (const id of move.all ? worlds.hostIds : [host])
        machines.get(id)?.mirror.set(name, move.n);
      return;
    case 'tell':
      for (const id of move.all ? worlds.hostIds : [host]) tell(world, seen, id);
      return;
    case 'exploited':
      if (!world.exploited.delete(name)) world.exploited.add(name);
      return;
    case 'policy':
      // By a restart of the server, which is how rules change.
      worlds.setPolicy(world, move.n);
      for (const one of here.fleet.hosts.values()) one.needs = null;
      take(here.step({ kind: 'tick' }));
      for (const id of worlds.hostIds) tell(world, seen, id);
      return;
    case 'others': {
      const told = worlds.upgradeByOthers(world, host);
      if (told !== null) take(told);
      return;
    }
    case 'asking':
      if (!world.asking.delete(host)) world.asking.add(host);
      take(worlds.observe(world, host));
      return;
    case 'window':
      here.fleet.settings.window =
        here.fleet.settings.window === null ? { fromMinute: 0, toMinute: 1 } : null;
      return;
    case 'approve': {
      if (wave === undefined || wave.approvedBy !== null) return;
      const all = pendingOf(wave);
      seen.approved.set(wave.id, new Set(all.map((one) => `${one.host} ${one.what}`)));
      take(here.act({ action: 'approve', waveId: wave.id }));
      return;
    }
    case 'decide': {
      if (wave === undefined) return;
      const action = move.all ? 'stop' : 'decline';
      const all = pendingOf(wave, true);
      const commands = here.act({ action, waveId: wave.id });
      if (commands.answer?.ok === true)
        for (const one of all) {
          seen.settled.add(`${one.host} ${one.what}`);
          seen.against.set(
            `${one.host} ${one.what}`,
            toldOf(world, one.host).some(
              ({ name: of, exploited }) => exploited && of === one.what.replace(/=.*/, ''),
            ),
          );
        }
      take(commands);
      return;
    }
    case 'end': {
      const order = world.ordered.get(host);
      const ended = worlds.endOrder(world, host, move.how);
      if (ended === null || order === undefined) return;
      for (const { name: full, version } of order.packages) {
        const what = `${host} ${keyOf(full, version)}`;
        if (ended.outcome === 'refused') seen.refused.set(what, here.now);
        if (ended.outcome === 'failed' || ended.outcome === 'in-vain') seen.inVain.add(what);
        const source = worlds.sourceOf(full.replace(':amd64', ''));
        if (ended.outcome === 'failed')
          seen.failed.set(`${host} ${source}`, {
            waveId: order.waveId,
            names: order.packages.map((one) => one.name.replace(':amd64', '')),
          });
        if (ended.outcome !== 'done') continue;
        const proved = seen.proved.get(order.waveId) ?? new Map<string, string>();
        const known = full.replace(':amd64', '');
        if (!proved.has(known)) proved.set(known, version ?? '');
        seen.proved.set(order.waveId, proved);
      }
      ended.told.forEach(take);
      return;
    }
    case 'retry': {
      for (const key of [...seen.inVain, ...seen.refused.keys()])
        if (key.startsWith(`${host} `)) {
          seen.inVain.delete(key);
          seen.refused.delete(key);
        }
      for (const key of seen.failed.keys()) if (key.startsWith(`${host} `)) seen.failed.delete(key);
      take(here.act({ action: 'retry', scope: { of: 'host', hostId: host } }));
      return;
    }
    case 'resume':
      if (wave !== undefined)
        take(here.act({ action: 'resume', level: { level: 'wave', waveId: wave.id } }));
      return;
    case 'exclude':
      if (here.fleet.hosts.get(host)?.state === 'enrolled') {
        take(here.act({ action: 'host-exclude', hostId: host, fenced: true, reason: '' }));
        world.ordered.delete(host);
        return;
      }
      take(here.act({ action: 'host-add', hostId: host, zone: null, cap: null }));
      take(worlds.observe(world, host));
      return;
    case 'restart':
      for (const one of here.fleet.hosts.values()) one.needs = null;
      return;
    case 'later':
      here.later(move.n * 5 * minute);
      // Grants that nothing was heard of for so long are another matter.
      for (const grant of here.fleet.grants.values())
        Object.assign(grant, {
          beginBefore: here.now + 60 * minute,
          deadline: here.now + 60 * minute,
        });
      take(here.step({ kind: 'tick' }));
      return;
  }
};

const kinds = [
  ...['publish', 'mirror', 'tell', 'tell', 'tell', 'exploited', 'policy', 'asking', 'window'],
  ...['others', 'mirror'],
  ...['approve', 'approve', 'decide', 'end', 'end', 'end', 'retry', 'resume', 'exclude', 'restart'],
  ...['later', 'later'],
] as const;

const moves = fc.record({
  kind: fc.constantFrom(...kinds),
  host: fc.nat({ max: 2 }),
  package: fc.nat({ max: 2 }),
  n: fc.integer({ min: 1, max: 6 }),
  all: fc.boolean(),
  how: fc.constantFrom('as-it-is', 'as-it-is', 'as-it-is', 'fails', 'in-vain', 'overtaken'),
});
type Move = Omit<typeof moves extends fc.Arbitrary<infer One> ? One : never, 'kind' | 'how'> & {
  kind: string;
  how: worlds.How;
};

/** Whatever may be begun is in a wave by then: nothing is forgotten. */
const judgeRest = (world: AdvisoryWorld, seen: Seen): void => {
  hear(world, seen, world.here.step({ kind: 'tick' }));
  const { fleet, wall } = world.here;
  const decisions = decisionsNow(fleet, wall.ms);
  for (const host of fleet.hosts.values()) {
    if (host.state !== 'enrolled' || (host.needs?.transaction ?? -1) < host.transactions) continue;
    for (const need of host.needs?.list ?? [])
      for (const advisory of need.offered) {
        const why = explainNeed(fleet, decisions, host, need, advisory);
        expect(why).not.toBe('a wave begins');
        // Nor is it taken for tried where neither an order nor a decision was of this very version.
        if (why.includes('is over without it'))
          expect([...seen.settled]).toContain(`${host.id} ${keyOf(need.name, need.target)}`);
      }
  }
};

test('whatever comes, orders are what policy gives, or what a person approved, as proved by the first host', () => {
  let orders = 0;
  fc.assert(
    fc.property(fc.array(moves, { minLength: 20, maxLength: 80, size: 'max' }), (all) => {
      const world = worlds.newWorld();
      const seen: Seen = {
        ...{
          orders: 0,
          approved: new Map(),
          against: new Map(),
          inVain: new Set(),
          settled: new Set(),
          failed: new Map(),
        },
        ...{ proved: new Map(), refused: new Map() },
      };
      worlds.setPolicy(world, all[0]?.n ?? 0);
      begin(world, seen);
      for (const move of all) act(world, seen, move);
      judgeRest(world, seen);
      orders += seen.orders;
    }),
    isLong ? { numRuns: 20_000 } : { numRuns: 300, seed: 4 },
  );
  // It is of some use only where something is ordered at all.
  expect(orders).toBeGreaterThan(100);
});
