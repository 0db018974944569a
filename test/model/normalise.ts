import type { RecordNumber, Report, GrantOrder } from '../../src/core/messages.ts';
import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import type { Core } from './core.ts';
import { encode, intern, isInterned } from './encode.ts';
import { base } from './world.ts';
import type { Machine, World } from './world.ts';

/** How far back times are told apart. Farther than any delay that a scenario allows. */
const horizonMs = 60_000;
const longPast = base - horizonMs;

const sorted = <V>(map: Map<string, V>): Map<string, V> =>
  map.size < 2 ? map : new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The one object for an order of these times; nobody changes an order, so that it is written as a short name. */
const orderAt = (order: GrantOrder, at: (time: number) => number): GrantOrder => {
  const beginBefore = at(order.beginBefore);
  return isInterned(order) && order.beginBefore === beginBefore
    ? order
    : intern({ ...order, beginBefore, deadline: base, attempt: 1 });
};

/** Move every time by what has passed, so that the present is always `base`; forget how long ago long ago is. */
const shiftTimes = (world: World): void => {
  const passed = world.now - base;
  world.now = base;
  const at = (time: number): number => Math.max(longPast, time - passed);
  const orders = (send: Send): void => {
    send.expiresAt = at(send.expiresAt);
    if (send.kind === 'restart-batch')
      send.payload.grants = send.payload.grants.map((order) => orderAt(order, at));
    else if (send.kind === 'host-upgrade') {
      send.payload.beginBefore = at(send.payload.beginBefore);
      send.payload.deadline = base;
    }
  };
  for (const send of world.rows.values()) orders(send);
  for (const send of world.wire.values()) orders(send);
  const { fleet } = world;
  for (const host of fleet.hosts.values()) {
    if (host.heardAt !== null) host.heardAt = at(host.heardAt);
    host.settingsHashes = intern(host.settingsHashes);
    for (const issued of host.issued) issued.at = at(issued.at);
    // It decides only which of two lives of a journal is the later one.
    if (world.left['journal lost'] === undefined) host.echo = null;
  }
  for (const container of fleet.containers.values()) {
    container.observedAt = base;
    if (container.refusal !== null) {
      container.refusal.until = Math.max(base, container.refusal.until - passed);
      container.refusal.count = 1;
      container.refusal.reason = '';
    }
    if (container.decided !== null) Object.assign(container.decided, { waveId: '', by: '' });
    container.lastFailure = null;
    if (!isInterned(container.view))
      container.view = intern({ ...container.view, healthReason: '' });
  }
  for (const grant of fleet.grants.values()) {
    grant.grantedAt = base;
    grant.beginBefore = Math.max(base, grant.beginBefore - passed);
    grant.deadline = Math.max(base, grant.deadline - passed);
    grant.why = '';
    grant.attempt = 1;
    if (grant.failReason !== null) grant.failReason = '';
    grant.waiting = null;
    if (grant.voidAsked !== null) grant.voidAsked = '';
  }
  for (const wave of fleet.waves.values()) {
    wave.createdAt = base;
    wave.wall = { createdMs: 0, startedMs: 0, endedMs: 0 };
    wave.told = [];
    if (wave.pausedBy !== null) wave.pausedBy = '';
    for (const member of wave.members.values()) {
      member.attempts = 1;
      member.reason = '';
    }
    for (const upgrade of wave.upgrades.values()) upgrade.reason = '';
    if (wave.cause.kind === 'upgrade') wave.cause.changes = [];
  }
  for (const pause of fleet.pauses.values()) pause.at = base;
  for (const machine of world.machines) shiftMachine(machine, passed, at);
};

/** Code is old or it is not; how old is all the same. */
const forgetVersions = (machine: Machine): void => {
  for (const box of machine.boxes) box.version = box.version === machine.lower ? 1 : 0;
  machine.lower = 1;
};

const shiftMachine = (machine: Machine, passed: number, at: (time: number) => number): void => {
  forgetVersions(machine);
  for (const record of [machine.register, machine.late])
    if (record !== null) {
      record.serverTime = at(record.serverTime);
      if (record.freezes.length > 0) record.freezes = [''];
    }
  const { agent } = machine;
  if (agent.record !== null) {
    const { record } = agent;
    record.seenAt -= passed;
    record.saidAt -= passed;
    record.value.serverTime -= passed;
    // Older than its life is all the same; the estimate of the server's time stays what it was.
    const excess = Math.max(0, base - 20_000 - record.seenAt);
    record.seenAt += excess;
    record.saidAt += excess;
    record.value.serverTime = Math.max(longPast, record.value.serverTime + excess);
    record.value.ackedSeq = 0;
    if (record.value.freezes.length > 0) record.value.freezes = [''];
  }
  agent.serverTimeFloor = Math.max(longPast, agent.serverTimeFloor - passed);
  agent.waiting.clear();
  for (const [id, time] of agent.notBefore)
    if (time - passed <= base) agent.notBefore.delete(id);
    else agent.notBefore.set(id, time - passed);
  agent.gateNotBefore = Math.max(base, agent.gateNotBefore - passed);
  for (const [id, seen] of agent.seenOld)
    agent.seenOld.set(id, seen === agent.journal.transactions ? seen : -1);
  for (const [id, count] of agent.attempts) agent.attempts.set(id, Math.min(count, 1));
  const { journal } = agent;
  for (const job of journal.jobs.values()) job.forgetAfter = base + 1_000_000;
  for (const grant of journal.grants.values()) {
    grant.order = orderAt(grant.order, at);
    if (grant.steps.length > 0)
      grant.steps = grant.steps.some(({ step }) => step === 'stopping')
        ? [{ step: 'stopping', at: base, wallMs: 0 }]
        : [];
    grant.child = null;
    if (grant.ending !== null) grant.ending.reason = '';
    if (grant.end !== null) grant.end.reason = '';
  }
  for (const upgrade of journal.upgrades.values()) {
    upgrade.order.beginBefore = at(upgrade.order.beginBefore);
    upgrade.order.deadline = base;
    if (upgrade.end !== null) upgrade.end.reason = '';
  }
  for (const refused of journal.refused.values()) refused.reason = '';
  for (const [seq, report] of journal.reports)
    if (!isInterned(report)) journal.reports.set(seq, intern(bare(report)));
  for (const message of machine.wandering) message.report = intern(bare(message.report));
};

/** A report without what only people read. */
const bare = (report: Report): Report => {
  switch (report.kind) {
    case 'host-observed':
      return {
        ...report,
        containers: report.containers.map(intern),
        settingsHashes: intern(report.settingsHashes),
        waits: [],
      };
    case 'restart-progress':
      return { ...report, at: base };
    case 'restart-finished':
      return { ...report, steps: [], reason: '' };
    case 'job-refused':
      return { ...report, reason: '' };
    case 'upgrade-finished':
      return { ...report, reason: '' };
    default:
      return report;
  }
};

/** Reports that are acknowledged in SQL are resent at most, and dropped then: they are as good as gone. */
const forgetAcknowledged = (world: World): void => {
  for (const machine of world.machines) {
    const host = world.fleet.hosts.get(machine.id);
    const { journal } = machine.agent;
    const lost = (incarnation: string): boolean => host?.retired.includes(incarnation) ?? false;
    if (host === undefined) continue;
    const same = host.incarnation === journal.incarnation;
    const acked = same ? host.ackedSeq : 0;
    for (const seq of journal.reports.keys()) if (seq <= acked) journal.reports.delete(seq);
    // Numbers begin anew at what is acknowledged; only the first report of an incarnation says that it is one.
    if (same && acked > 1) {
      const shift = acked - 1;
      const reports = [...journal.reports].map(([seq, report]) => [seq - shift, report] as const);
      journal.reports = new Map(reports);
      journal.lastSeq -= shift;
      host.ackedSeq -= shift;
    }
    machine.wandering = machine.wandering.filter(
      ({ incarnation, seq }) =>
        !lost(incarnation) && !(incarnation === host.incarnation && seq <= host.ackedSeq),
    );
    for (const record of [machine.register, machine.late])
      if (record !== null)
        record.ackedSeq = record.incarnation === host.incarnation ? host.ackedSeq : 0;
  }
};

const perEpoch = 1_000_000;
const flat = ([, epoch, n]: RecordNumber): number => epoch * perEpoch + n;

/** Record numbers count by their order alone: those of each epoch that somebody holds become 1, 2, 3. */
const renumber = (world: World): void => {
  const { fleet } = world;
  for (const machine of world.machines) {
    const host = fleet.hosts.get(machine.id);
    if (host === undefined) continue;
    const { journal, record } = machine.agent;
    const held: RecordNumber[] = machine.wandering.map(({ echo }) => echo);
    if (machine.register !== null) held.push(machine.register.number);
    if (machine.late !== null) held.push(machine.late.number);
    if (record !== null) held.push(record.value.number);
    if (journal.highestRecord !== null) held.push(journal.highestRecord);
    if (host.echo !== null) held.push(host.echo);
    const keys = held.map(flat);
    // Echoes can only name what somebody still holds.
    const own = fleet.epoch * perEpoch;
    const last = host.issued.at(-1);
    host.issued = host.issued.filter(
      (issued) =>
        issued === last ||
        (keys.includes(own + issued.n) && (host.heardAt === null || issued.at > host.heardAt)),
    );
    for (const { n } of host.issued) keys.push(own + n);
    keys.push(own + host.recordN);
    keys.sort((one, other) => one - other);
    const rank = new Map<number, number>();
    let n = 0;
    let epoch = 0;
    for (const key of keys) {
      if (rank.has(key)) continue;
      if (Math.floor(key / perEpoch) !== epoch) n = 0;
      epoch = Math.floor(key / perEpoch);
      rank.set(key, key % perEpoch === 0 ? 0 : ++n);
    }
    const ranked = (number: RecordNumber): RecordNumber => [
      number[0],
      number[1],
      rank.get(flat(number)) ?? 0,
    ];
    for (const issued of host.issued) issued.n = rank.get(own + issued.n) ?? 0;
    host.recordN = rank.get(own + host.recordN) ?? 0;
    if (machine.register !== null) machine.register.number = ranked(machine.register.number);
    if (machine.late !== null) machine.late.number = ranked(machine.late.number);
    if (record !== null) record.value.number = ranked(record.value.number);
    if (journal.highestRecord !== null) journal.highestRecord = ranked(journal.highestRecord);
    if (host.echo !== null) host.echo = ranked(host.echo);
    for (const message of machine.wandering) message.echo = ranked(message.echo);
  }
};

/** A wave that is over, and all of whose grants are, decides nothing any more. */
const forgetWaves = ({ fleet }: World): void => {
  for (const [id, wave] of fleet.waves)
    if (
      wave.state !== 'open' &&
      wave.state !== 'stopping' &&
      ![...fleet.grants.values()].some((grant) => grant.waveId === id)
    )
      fleet.waves.delete(id);
};

/** Forget what nobody can ask for again: the journal does so after a day, by R5. */
const forgetEnded = (world: World): void => {
  forgetWaves(world);
  const remembers = world.machines.some(
    ({ agent: { journal } }) =>
      journal.jobs.size > 0 ||
      journal.refused.size > 0 ||
      [...journal.grants.values()].some(({ end }) => end !== null),
  );
  if (!remembers) return;
  const asked = new Set<string>(world.fleet.grants.keys());
  for (const send of [...world.rows.values(), ...world.wire.values()])
    if (send.kind === 'restart-batch')
      for (const { grantId, expect } of send.payload.grants) {
        asked.add(grantId);
        if (expect.kind === 'retry') asked.add(expect.grantId);
      }
    else if (send.kind === 'host-upgrade') asked.add(send.payload.grantId);
  for (const machine of world.machines) {
    const { journal, record } = machine.agent;
    const said = [machine.register, machine.late, record?.value ?? null];
    for (const heard of said)
      for (const id of [...(heard?.voids ?? []), ...(heard?.suspects ?? []).map((s) => s.grantId)])
        asked.add(id);
    for (const report of [...journal.reports.values(), ...machine.wandering.map((m) => m.report)])
      if (report.kind === 'job-refused') for (const id of report.endsGrants) asked.add(id);
      else if ('grantId' in report) asked.add(report.grantId);
    for (const grant of journal.grants.values())
      if (grant.end === null && grant.order.expect.kind === 'retry')
        asked.add(grant.order.expect.grantId);
    for (const todo of machine.todo) asked.add(todo.split(' ')[1] ?? '');
  }
  for (const machine of world.machines) {
    const { journal } = machine.agent;
    for (const [id, grant] of journal.grants)
      if (grant.end !== null && !asked.has(id)) journal.grants.delete(id);
    for (const id of journal.refused.keys()) if (!asked.has(id)) journal.refused.delete(id);
    for (const [id, job] of journal.jobs)
      if (!world.rows.has(id) && !world.wire.has(id) && !job.grants.some((g) => asked.has(g))) {
        const open = job.grants.some((g) => journal.grants.get(g)?.end === null);
        const upgrade = journal.upgrades.get(id);
        if (open || (upgrade !== undefined && upgrade.step !== 'ended')) continue;
        journal.jobs.delete(id);
        journal.upgrades.delete(id);
      }
  }
};

const fleetTexts = new WeakMap<Fleet, string>();

/** A fleet's text. It is kept: a normal fleet is not changed any more, only its clones are. */
const textOf = (fleet: Fleet): string => {
  const known = fleetTexts.get(fleet);
  if (known !== undefined) return known;
  const { epoch, hosts, containers, grants, waves, pauses, freezes } = fleet;
  const text = encode([epoch, hosts, containers, grants, waves, pauses, freezes]);
  fleetTexts.set(fleet, text);
  return text;
};

/** Bring a world into the one form that all worlds of equal future have, and give that form as text. */
export const normalise = (core: Core, world: World): string => {
  for (const { agent } of world.machines)
    if (agent.record !== null) core.serverTime(agent, world.now);
  world.stored = null;
  shiftTimes(world);
  forgetAcknowledged(world);
  forgetEnded(world);
  renumber(world);
  const { fleet } = world;
  fleet.grants = sorted(fleet.grants);
  fleet.containers = sorted(fleet.containers);
  fleet.waves = sorted(fleet.waves);
  for (const wave of fleet.waves.values()) wave.members = sorted(wave.members);
  world.rows = sorted(world.rows);
  world.wire = sorted(world.wire);
  for (const machine of world.machines) {
    const { agent } = machine;
    machine.todo.sort();
    machine.stops.sort();
    agent.busy = sorted(agent.busy);
    agent.notBefore = sorted(agent.notBefore);
    agent.attempts = sorted(agent.attempts);
    agent.seenOld = sorted(agent.seenOld);
    agent.journal.grants = sorted(agent.journal.grants);
    agent.journal.refused = sorted(agent.journal.refused);
    agent.journal.jobs = sorted(agent.journal.jobs);
  }
  const rest = encode([
    world.machines,
    world.rows,
    world.wire,
    world.left,
    world.drainBroken,
    world.decisions,
  ]);
  return textOf(fleet) + rest;
};
