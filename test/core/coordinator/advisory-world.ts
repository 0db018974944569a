import type { Need } from '../../../src/core/advisories/needs.ts';
import type { FleetSettings } from '../../../src/core/coordinator/fleet.ts';
import { defaultRule } from '../../../src/core/coordinator/policy.ts';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { HostUpgrade } from '../../../src/core/messages.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

export const hostIds = ['h1', 'h2', 'h3'];
/** Two packages of one source, of which one is a core package, and one of another. */
export const packages = [
  { name: 'libssl3', source: 'openssl' },
  { name: 'openssl', source: 'openssl' },
  { name: 'libc6', source: 'glibc' },
];
export const core: ReadonlySet<string> = new Set(['openssl']);
export const sourceOf = (name: string): string =>
  packages.find((one) => one.name === name)?.source ?? '';
const minute = 60_000;
const auto: PolicyRule = { ...defaultRule, mode: 'auto' };

export const policies: readonly (readonly PolicyRule[])[] = [
  [auto],
  [],
  [{ ...auto, mode: 'observe' }],
  [{ ...auto, minAgeMs: 30 * minute, whenMirrorMoved: 'start-over' }],
  [{ ...auto, exploited: true, latestMs: 0 }, defaultRule],
  [{ ...auto, core: false, earliestMs: 20 * minute }, defaultRule],
  [
    { ...auto, core: true },
    { ...auto, mode: 'observe' },
  ],
];

/** Versions are numbers; what a host has, and what its mirror has whether it has looked or not. */
interface Machine {
  has: Map<string, number>;
  mirror: Map<string, number>;
  /** What it last reported of its mirror. */
  offered: Map<string, number>;
}

export type How = 'as-it-is' | 'fails' | 'in-vain' | 'overtaken';

export interface AdvisoryWorld {
  here: Scene;
  machines: Map<string, Machine>;
  /** Package → the first version with the fix, by the advisories that are known. */
  fixed: Map<string, number>;
  exploited: Set<string>;
  /** `package=version` → when it was first seen, by the wall clock. */
  seen: Map<string, number>;
  /** What hosts were ordered and have not answered yet. */
  ordered: Map<string, HostUpgrade>;
  /** Hosts with a container that waits for approval. */
  asking: Set<string>;
  policy: readonly PolicyRule[];
}

export const newWorld = (): AdvisoryWorld => {
  const settings: Partial<FleetSettings> = { corePackages: { 'debian-12': core } };
  const db = web({ name: 'db', match: [{ container: 'db-*' }], mode: 'approve' });
  const here = scene(
    [web(), db],
    settings,
    hostIds.map((id) => ({ id })),
  );
  const versions = (): Map<string, number> => new Map(packages.map(({ name }) => [name, 1]));
  const world: AdvisoryWorld = {
    here,
    machines: new Map(
      hostIds.map((id) => [id, { has: versions(), mirror: versions(), offered: versions() }]),
    ),
    ...{ fixed: new Map(), exploited: new Set(), seen: new Map(), ordered: new Map() },
    ...{ asking: new Set(), policy: policies[0] ?? [] },
  };
  setPolicy(world, 0);
  for (const id of hostIds) observe(world, id);
  return world;
};

export const setPolicy = (world: AdvisoryWorld, n: number): void => {
  world.policy = policies[n % policies.length] ?? [];
  world.here.fleet.settings.policies = { 'debian-12': world.policy };
};

/** Nothing in its containers runs old code, ever: what is asked here is what hosts are ordered. */
const containersOf = (world: AdvisoryWorld, host: string) => [
  view(`web-${host}`, { stale: [] }),
  ...(world.asking.has(host) ? [view('db-1', { stale: [] })] : []),
];

export const observe = (world: AdvisoryWorld, host: string): Commands =>
  world.here.report(host, observed(containersOf(world, host)));

export const firstSeen = ({ seen }: AdvisoryWorld, name: string, version: number): number =>
  seen.get(`${name}=${version}`) ?? 0;

/** What the matcher would tell of a host, by what it last reported. */
export const needsOf = (world: AdvisoryWorld, host: string): Need[] => {
  const machine = world.machines.get(host);
  if (machine === undefined) return [];
  const offers = ({ name }: { name: string }): number | null => {
    const offered = machine.offered.get(name) ?? 0;
    return offered > (machine.has.get(name) ?? 0) ? offered : null;
  };
  return packages.flatMap(({ name, source }): Need[] => {
    const [has, fixed] = [machine.has.get(name) ?? 0, world.fixed.get(name) ?? 0];
    if (has >= fixed) return [];
    const offered = offers({ name });
    const target = offered !== null && offered >= fixed ? offered : null;
    const advisories = [{ feed: 'd', id: `DSA-${name}-${fixed}` }];
    const [offeredBy, waiting] = target === null ? [[], advisories] : [advisories, []];
    return [
      {
        ...{ name, source, arch: 'amd64', installed: `${has}`, cves: [], severity: 'high' },
        siblings:
          target === null
            ? []
            : packages
                .filter((one) => one.source === source && one.name !== name)
                .flatMap((one) => (offers(one) === null ? [] : [one.name])),
        ...{ target: target === null ? null : `${target}`, offered: offeredBy, fixes: offeredBy },
        ...{ waiting, kind: 'security', exploited: world.exploited.has(name), held: false },
        firstSeen: target === null ? null : firstSeen(world, name, target),
      },
    ];
  });
};

/** A host looks what its mirror has, and reports it. */
export const tellNeeds = (world: AdvisoryWorld, host: string): Commands => {
  const machine = world.machines.get(host);
  if (machine !== undefined) machine.offered = new Map(machine.mirror);
  for (const [name, version] of machine?.offered ?? [])
    if (!world.seen.has(`${name}=${version}`))
      world.seen.set(`${name}=${version}`, world.here.wall.ms);
  const transaction = world.here.fleet.hosts.get(host)?.transactions ?? 0;
  return world.here.step({
    kind: 'needs',
    told: [{ hosts: [{ id: host, transaction }], needs: needsOf(world, host) }],
  });
};

const numbersOf = (order: HostUpgrade): [string, number][] =>
  order.packages.map(({ name, version }) => [name.replace(':amd64', ''), Number(version)]);

/** A transaction of a host is told, by whomever. */
const tellUpgrade = (
  world: AdvisoryWorld,
  host: string,
  to: readonly [string, number][],
  origin: { by: 'outside' } | { by: 'job'; jobId: string; waveId: string },
): Commands => {
  const has = world.machines.get(host)?.has;
  const changes = to.map(([name, version]) => {
    const change = { name, arch: 'amd64', source: sourceOf(name), to: `${version}` };
    return { ...change, from: `${has?.get(name) ?? 0}` };
  });
  for (const [name, version] of to) has?.set(name, version);
  const { here } = world;
  return here.report(host, {
    ...{ kind: 'host-upgraded', origin, gate: null },
    transaction: (here.fleet.hosts.get(host)?.transactions ?? 0) + 1,
    ...{ changes, containers: containersOf(world, host) },
  });
};

/** Others upgrade all that a host's mirror has. */
export const upgradeByOthers = (world: AdvisoryWorld, host: string): Commands | null => {
  const machine = world.machines.get(host);
  const to = [...(machine?.mirror ?? [])].filter(
    ([name, version]) => version > (machine?.has.get(name) ?? 0),
  );
  return to.length === 0 ? null : tellUpgrade(world, host, to, { by: 'outside' });
};

/** An order comes to its end as the mirror lets it, or in one of the other ways; `overtaken`: others were quicker, and newer. */
export const endOrder = (
  world: AdvisoryWorld,
  host: string,
  how: How,
): { told: Commands[]; outcome: 'done' | 'failed' | 'refused' | 'in-vain' } | null => {
  const { here, ordered } = world;
  const order = ordered.get(host);
  const machine = world.machines.get(host);
  const grant = here.fleet.grants.get(order?.grantId ?? '');
  if (order === undefined || machine === undefined || grant === undefined) return null;
  ordered.delete(host);
  const wants = numbersOf(order);
  const has = (name: string): number => machine.has.get(name) ?? 0;
  const missing = wants.some(
    ([name, version]) => machine.mirror.get(name) !== version && has(name) !== version,
  );
  const fails =
    how === 'fails' || how === 'overtaken' || wants.some(([name, to]) => has(name) > to);
  const outcome = fails ? 'failed' : missing ? 'refused' : how === 'in-vain' ? 'in-vain' : 'done';
  const { waveId, grantId } = order;
  const told: Commands[] = [];
  const by = { by: 'job', jobId: grant.jobId, waveId } as const;
  const got = wants.flatMap(([name, to]): [string, number][] =>
    how === 'overtaken'
      ? [[name, Math.max(to, has(name)) + 1]]
      : has(name) < to
        ? [[name, to]]
        : [],
  );
  // Where nothing is changed, what was ordered is there already, and no transaction is told.
  if ((outcome === 'done' || how === 'overtaken') && got.length > 0)
    told.push(tellUpgrade(world, host, got, by));
  const isWell = outcome === 'done' || outcome === 'in-vain';
  told.push(
    here.report(host, {
      ...{ kind: 'upgrade-finished', jobId: grant.jobId, waveId, grantId, changes: [] },
      ...{ ok: isWell, reason: isWell ? '' : outcome, remedy: '', transcript: '' },
      ...(outcome === 'refused' ? { code: 'unknown-version' } : {}),
      gate: { ok: true, reason: '' },
    }),
  );
  return { told, outcome };
};
