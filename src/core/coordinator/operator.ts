import { z } from 'zod';
import { ContainerId, HostId } from '../ids.ts';
import { PauseLevel, WantedPackage } from '../messages.ts';
import type { Wave } from './fleet.ts';
import { newHost } from './fleet.ts';
import { askVoid, endGrant, giveGrants } from './grants.ts';
import { mayRetry } from './may-grant.ts';
import { grantsConcerned } from './pause-state.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { joinWave, openWave } from './waves.ts';

/** What operators may ask for. The API takes these as they stand; every one names its actor. */
export const OperatorAction = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('approve'), waveId: z.string() }),
  z.strictObject({ action: z.literal('decline'), waveId: z.string() }),
  z.strictObject({ action: z.literal('stop'), waveId: z.string() }),
  z.strictObject({ action: z.literal('pause'), level: PauseLevel, reason: z.string() }),
  z.strictObject({ action: z.literal('resume'), level: PauseLevel }),
  z.strictObject({
    action: z.literal('retry'),
    scope: z.discriminatedUnion('of', [
      z.strictObject({ of: z.literal('container'), container: ContainerId }),
      z.strictObject({ of: z.literal('host'), hostId: HostId }),
      z.strictObject({ of: z.literal('wave'), waveId: z.string() }),
    ]),
  }),
  z.strictObject({ action: z.literal('freeze'), reason: z.string(), until: z.number().nullable() }),
  z.strictObject({ action: z.literal('unfreeze'), id: z.string() }),
  z.strictObject({ action: z.literal('park'), container: ContainerId }),
  z.strictObject({ action: z.literal('unpark'), container: ContainerId }),
  z.strictObject({
    action: z.literal('restart'),
    containers: z.array(ContainerId).min(1),
    what: z.string(),
  }),
  z.strictObject({
    action: z.literal('upgrade'),
    hosts: z.array(HostId).min(1),
    mode: z.enum(['packages', 'security']),
    packages: z.array(WantedPackage),
    allowRemove: z.boolean(),
  }),
  z.strictObject({ action: z.literal('allow-outage'), waveId: z.string(), service: z.string() }),
  z.strictObject({
    action: z.literal('host-add'),
    hostId: HostId,
    zone: z.string(),
    cap: z.int().positive().nullable(),
  }),
  /** The operator's word that the machine is off or fenced (R33). */
  z.strictObject({
    action: z.literal('host-exclude'),
    hostId: HostId,
    fenced: z.literal(true),
    reason: z.string(),
  }),
]);
export type OperatorAction = z.infer<typeof OperatorAction>;

export type Answer = { ok: true; id: string | null; text: string } | { ok: false; reason: string };

const ok = (text: string, id: string | null = null): Answer => ({ ok: true, id, text });
const no = (reason: string): Answer => ({ ok: false, reason });

const samePause = (a: PauseLevel, b: PauseLevel): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

const waveActions = (
  turn: Turn,
  wave: Wave,
  actor: string,
  action: 'approve' | 'decline' | 'stop',
): Answer => {
  const { fleet } = turn;
  if (wave.state !== 'open') return no(`wave ${wave.id} is ${wave.state}`);
  touch(turn, { table: 'waves', key: wave.id });
  if (action === 'approve') {
    if (wave.approvedBy !== null)
      return no(`wave ${wave.id} was approved by ${wave.approvedBy} already`);
    wave.approvedBy = actor;
    audit(turn, { action: 'wave-approved', subject: wave.id, waveId: wave.id, actor });
    return ok(`wave ${wave.id} is approved`, wave.id);
  }
  const grants = [...fleet.grants.values()].filter(({ waveId }) => waveId === wave.id);
  if (action === 'decline' && grants.length > 0)
    return no(`wave ${wave.id} has begun: groundswell stop ${wave.id}`);
  // What was decided against is not found stale anew at the next look (R27 in spirit).
  for (const [id, { state }] of wave.members) {
    const container = fleet.containers.get(id);
    if (state !== 'pending' || container === undefined) continue;
    container.attemptedAt = fleet.hosts.get(container.host)?.transactions ?? 0;
    container.lastVerification ??= 'stale';
    touch(turn, { table: 'containers', key: id });
  }
  wave.state = action === 'decline' ? 'declined' : 'stopping';
  if (action === 'decline') wave.endedAt = turn.now;
  for (const grant of grants) askVoid(turn, grant, 'the wave was stopped');
  audit(turn, {
    action: action === 'decline' ? 'wave-declined' : 'wave-stopped',
    subject: wave.id,
    waveId: wave.id,
    actor,
  });
  return ok(
    action === 'decline' ? `wave ${wave.id} is declined` : `wave ${wave.id} is stopping`,
    wave.id,
  );
};

const pause = (turn: Turn, actor: string, level: PauseLevel, reason: string): Answer => {
  const { fleet } = turn;
  const there = [...fleet.pauses.values()].find((other) => samePause(other.level, level));
  if (there !== undefined) return ok(`paused already, by ${there.actor}`, there.id);
  const id = turn.newId();
  fleet.pauses.set(id, { id, level, actor, reason, at: turn.now });
  touch(turn, { table: 'pauses', key: id });
  audit(turn, {
    action: 'paused',
    subject: level.level,
    actor,
    details: { level: JSON.stringify(level), reason },
  });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  // R31: what has not begun is asked back; what is in flight goes on.
  for (const grant of grantsConcerned(fleet, level))
    if (grant.expect?.kind !== 'retry') askVoid(turn, grant, 'paused');
  return ok('pausing', id);
};

const resume = (turn: Turn, actor: string, level: PauseLevel): Answer => {
  const { fleet } = turn;
  const rows = [...fleet.pauses.values()].filter((other) => samePause(other.level, level));
  const waves = [...fleet.waves.values()].filter(
    (wave) =>
      wave.state === 'open' &&
      (level.level === 'wave' ? wave.id === level.waveId : level.level === 'fleet'),
  );
  const held = waves.filter(({ pausedBy }) => pausedBy !== null);
  if (rows.length === 0 && held.length === 0) return no('it is not paused');
  for (const { id } of rows) {
    fleet.pauses.delete(id);
    touch(turn, { table: 'pauses', key: id });
  }
  // R31: resume goes on where it stood and sets the wave's failure count to 0.
  for (const wave of held) {
    wave.pausedBy = null;
    wave.failures = 0;
    wave.told = wave.told.filter((key) => !key.startsWith('paused:') && !key.startsWith('failed:'));
    for (const hostId of new Set(
      [...wave.members.keys(), ...wave.upgrades.keys()].map((id) => id.split('/')[0] ?? ''),
    )) {
      const host = fleet.hosts.get(hostId);
      if (host !== undefined && host.gate !== null) {
        host.gate = null;
        touch(turn, { table: 'hosts', key: hostId });
      }
    }
    for (const grant of fleet.grants.values()) {
      if (grant.waveId !== wave.id || !grant.suspect) continue;
      grant.deadline = turn.now + fleet.settings.deadlineMs;
      grant.suspect = false;
      touch(turn, { table: 'grants', key: grant.id });
    }
    touch(turn, { table: 'waves', key: wave.id });
  }
  audit(turn, {
    action: 'resumed',
    subject: level.level,
    actor,
    details: { level: JSON.stringify(level) },
  });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  return ok('resumed');
};

/** R26: each failed grant of the scope, as a new grant that names it; one that stayed stale may be asked again. */
const retry = (
  turn: Turn,
  actor: string,
  action: Extract<OperatorAction, { action: 'retry' }>,
): Answer => {
  const { fleet } = turn;
  const { scope } = action;
  const inScope = (container: string, host: string, waveId: string): boolean =>
    scope.of === 'container'
      ? scope.container === container
      : scope.of === 'host'
        ? scope.hostId === host
        : scope.waveId === waveId;
  const reasons: string[] = [];
  let count = 0;
  for (const grant of [...fleet.grants.values()]) {
    if (
      !grant.failed ||
      grant.container === null ||
      !inScope(grant.container, grant.host, grant.waveId)
    )
      continue;
    const wave = fleet.waves.get(grant.waveId);
    const container = fleet.containers.get(grant.container);
    if (wave === undefined || container === undefined) continue;
    const decision = mayRetry(fleet, wave, grant, turn);
    if (decision.kind === 'deny') reasons.push(`${grant.container}: ${decision.reason}`);
    else {
      count += 1;
      giveGrants(turn, grant.host, [
        {
          wave,
          container,
          expect: { kind: 'retry', grantId: grant.id },
          byHand: true,
          onlyIfBroken: false,
          why: `retry of a failed restart, asked for by ${actor}`,
        },
      ]);
    }
  }
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    for (const [id, member] of wave.members) {
      const container = fleet.containers.get(id);
      if (
        container === undefined ||
        (member.state !== 'stale' && member.state !== 'unknown') ||
        !inScope(id, container.host, wave.id)
      )
        continue;
      container.attemptedAt = null;
      member.state = 'pending';
      member.reason = `retry asked for by ${actor}`;
      count += 1;
      touch(turn, { table: 'containers', key: id });
      touch(turn, { table: 'waves', key: wave.id });
    }
  }
  if (count === 0) return no(reasons[0] ?? 'nothing there has failed');
  return ok(`${count} ${count === 1 ? 'restart is' : 'restarts are'} retried`);
};

const exclude = (turn: Turn, actor: string, hostId: HostId, reason: string): Answer => {
  const host = turn.fleet.hosts.get(hostId);
  if (host === undefined) return no(`no host ${hostId}`);
  host.state = 'excluded';
  // R33: I1 is waived for this host by the operator's word; its containers stay members, unavailable.
  for (const grant of [...turn.fleet.grants.values()]) {
    if (grant.host !== hostId) continue;
    endGrant(turn, grant, 'excluded', `host excluded by ${actor}: ${reason}`);
    const wave = turn.fleet.waves.get(grant.waveId);
    const member = grant.container === null ? undefined : wave?.members.get(grant.container);
    if (member !== undefined)
      Object.assign(member, { state: 'unknown', reason: 'its host was excluded' });
  }
  for (const wave of turn.fleet.waves.values()) {
    if (wave.state !== 'open' && wave.state !== 'stopping') continue;
    for (const [id, member] of wave.members)
      if (member.state === 'pending' && id.startsWith(`${hostId}/`))
        Object.assign(member, { state: 'unknown', reason: 'its host was excluded' });
    const upgrade = wave.upgrades.get(hostId);
    if (upgrade !== undefined && (upgrade.state === 'pending' || upgrade.state === 'running'))
      Object.assign(upgrade, { state: 'failed', reason: 'excluded' });
    touch(turn, { table: 'waves', key: wave.id });
  }
  host.suspects = [];
  host.voids = [];
  turn.renew.add(hostId);
  touch(turn, { table: 'hosts', key: hostId });
  audit(turn, { action: 'host-excluded', subject: hostId, actor, details: { reason } });
  return ok(`host ${hostId} is excluded`);
};

const addHost = (
  turn: Turn,
  actor: string,
  { hostId, zone, cap }: Extract<OperatorAction, { action: 'host-add' }>,
): Answer => {
  const there = turn.fleet.hosts.get(hostId);
  const host = there ?? newHost(hostId, zone, cap);
  host.zone = zone;
  host.cap = cap;
  if (there?.state === 'excluded') {
    // Whatever the agent still holds from before is asked for again: its journal begins anew for us.
    host.state = 'enrolled';
    host.known = false;
  }
  turn.fleet.hosts.set(hostId, host);
  turn.renew.add(hostId);
  touch(turn, { table: 'hosts', key: hostId });
  audit(turn, { action: 'host-added', subject: hostId, actor, details: { zone } });
  return ok(`host ${hostId} is enrolled`);
};

const park = (turn: Turn, actor: string, id: string, parked: boolean): Answer => {
  const container = turn.fleet.containers.get(id);
  if (container === undefined) return no(`no container ${id}`);
  if (parked && container.view.state === 'running') return no(`${id} is running: stop it first`);
  container.parked = parked;
  turn.renew.add(container.host);
  touch(turn, { table: 'containers', key: id });
  audit(turn, { action: parked ? 'parked' : 'unparked', subject: id, actor });
  return ok(`${id} is ${parked ? 'parked' : 'counted again'}`);
};

/** Carry out what an operator asked for. */
export const applyOperator = (turn: Turn, actor: string, action: OperatorAction): Answer => {
  const { fleet } = turn;
  switch (action.action) {
    case 'approve':
    case 'decline':
    case 'stop': {
      const wave = fleet.waves.get(action.waveId);
      return wave === undefined
        ? no(`no wave ${action.waveId}`)
        : waveActions(turn, wave, actor, action.action);
    }
    case 'pause':
      return pause(turn, actor, action.level, action.reason);
    case 'resume':
      return resume(turn, actor, action.level);
    case 'retry':
      return retry(turn, actor, action);
    case 'freeze': {
      const id = turn.newId();
      fleet.freezes.set(id, { id, actor, reason: action.reason, until: action.until });
      touch(turn, { table: 'freezes', key: id });
      for (const host of fleet.hosts.values()) turn.renew.add(host.id);
      for (const grant of fleet.grants.values()) askVoid(turn, grant, `freeze: ${action.reason}`);
      audit(turn, {
        action: 'frozen',
        subject: id,
        actor,
        details: { reason: action.reason, until: action.until },
      });
      return ok('frozen', id);
    }
    case 'unfreeze':
      if (!fleet.freezes.delete(action.id)) return no(`no freeze ${action.id}`);
      touch(turn, { table: 'freezes', key: action.id });
      for (const host of fleet.hosts.values()) turn.renew.add(host.id);
      audit(turn, { action: 'unfrozen', subject: action.id, actor });
      return ok('the freeze is lifted');
    case 'park':
    case 'unpark':
      return park(turn, actor, action.container, action.action === 'park');
    case 'restart': {
      const missing = action.containers.find((id) => !fleet.containers.has(id));
      if (missing !== undefined) return no(`no container ${missing}`);
      const wave = openWave(turn, { kind: 'by-hand', actor, what: action.what }, true, actor);
      for (const id of action.containers) {
        const container = fleet.containers.get(id);
        if (container !== undefined) joinWave(turn, wave, container);
      }
      return ok(`wave ${wave.id} restarts ${action.containers.length} of them`, wave.id);
    }
    case 'upgrade': {
      const missing = action.hosts.find((id) => fleet.hosts.get(id)?.state !== 'enrolled');
      if (missing !== undefined) return no(`no host ${missing} is enrolled`);
      const wave = openWave(
        turn,
        {
          kind: 'upgrade',
          packages: action.packages.map(({ name, version }) => ({
            source: name,
            to: version ?? '',
          })),
          changes: [],
          by: 'groundswell',
        },
        false,
        actor,
      );
      for (const hostId of action.hosts)
        wave.upgrades.set(hostId, {
          state: 'pending',
          mode: action.mode,
          packages: action.packages,
          allowRemove: action.allowRemove,
          reason: '',
        });
      return ok(`wave ${wave.id} upgrades ${action.hosts.join(', ')}`, wave.id);
    }
    case 'allow-outage': {
      const wave = fleet.waves.get(action.waveId);
      if (wave === undefined) return no(`no wave ${action.waveId}`);
      wave.outagesAllowed.push(action.service);
      touch(turn, { table: 'waves', key: wave.id });
      audit(turn, { action: 'outage-allowed', subject: action.service, waveId: wave.id, actor });
      return ok(`wave ${wave.id} may take ${action.service} below its floor`, wave.id);
    }
    case 'host-add':
      return addHost(turn, actor, action);
    case 'host-exclude':
      return exclude(turn, actor, action.hostId, action.reason);
  }
};
