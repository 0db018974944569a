import type { HostId } from '../ids.ts';
import { newHost } from './fleet.ts';
import type { Host } from './fleet.ts';
import { endGrant } from './grants.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { containerNamed, hostNamed } from './operator-names.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

export const exclude = (turn: Turn, actor: string, hostId: HostId, reason: string): Answer => {
  const host = hostNamed(turn.fleet, hostId);
  if (typeof host === 'string') return no(host);
  if (host.state === 'excluded') return no(`host ${hostId} is excluded already`);
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
    if (upgrade !== undefined && (upgrade.state === 'pending' || upgrade.state === 'running')) {
      // What was not begun, and that nobody asked for by name, is begun anew by itself when the host is taken back.
      const comesAgain =
        upgrade.state === 'pending' && wave.state === 'open' && wave.cause.kind === 'advisories';
      Object.assign(upgrade, { state: comesAgain ? 'left-out' : 'failed', reason: 'excluded' });
    }
    touch(turn, { table: 'waves', key: wave.id });
  }
  host.suspects = [];
  host.voids = [];
  turn.renew.add(hostId);
  touch(turn, { table: 'hosts', key: hostId });
  audit(turn, { action: 'host-excluded', subject: `host ${hostId}`, actor, details: { reason } });
  return ok(`host ${hostId} is excluded`);
};

/** An agent that has gone on running would report whole only minutes later. */
const askToObserve = (turn: Turn, host: Host): void => {
  if (host.incarnation === null) return;
  host.observeJob = `${host.id}_${turn.newId()}`;
  turn.sends.push({
    host: host.id,
    jobId: host.observeJob,
    incarnation: host.incarnation,
    expiresAt: turn.now + turn.fleet.settings.beginBeforeMs,
    kind: 'observe-host',
    payload: { refresh: false },
  });
};

export const addHost = (
  turn: Turn,
  actor: string,
  { hostId, zone, cap }: Extract<OperatorAction, { action: 'host-add' }>,
): Answer => {
  const there = turn.fleet.hosts.get(hostId);
  const host = there ?? newHost(hostId, 'default', null);
  host.zone = zone ?? host.zone;
  if (cap !== null) host.cap = cap === 'default' ? null : cap;
  const back = host.state === 'excluded';
  if (back) {
    // Whatever the agent still holds from before is asked for again: its journal begins anew for us.
    host.state = 'enrolled';
    host.known = false;
    host.knowsMore = false;
    askToObserve(turn, host);
  }
  turn.fleet.hosts.set(hostId, host);
  turn.renew.add(hostId);
  touch(turn, { table: 'hosts', key: hostId });
  audit(turn, {
    action: 'host-added',
    subject: `host ${hostId}`,
    actor,
    details: { zone: host.zone, cap: host.cap },
  });
  const said = `host ${hostId} is ${back ? 'taken back' : 'enrolled'}, in zone ${host.zone}`;
  if (cap === null) return ok(said);
  const { hostCap } = turn.fleet.settings;
  return ok(
    `${said}, with ${host.cap === null ? `the fleet's cap of ${hostCap}` : `a cap of ${host.cap}`}`,
  );
};

export const park = (turn: Turn, actor: string, id: string, parked: boolean): Answer => {
  const container = containerNamed(turn.fleet, id);
  if (typeof container === 'string') return no(container);
  const { state } = container.view;
  if (container.parked === parked)
    return no(`${id} is ${parked ? 'parked already' : 'not parked'}`);
  if (parked && state !== 'stopped')
    return no(`${id} is ${state}: only one that is stopped can be parked`);
  if (!parked && container.view.parked !== null)
    return no(
      `a note on its host parks ${id} (${container.view.parked.reason}): groundswell container park ${container.view.name} --undo there`,
    );
  container.parked = parked;
  turn.renew.add(container.host);
  touch(turn, { table: 'containers', key: id });
  audit(turn, { action: parked ? 'parked' : 'unparked', subject: `container ${id}`, actor });
  return ok(`${id} is ${parked ? 'parked' : 'counted again'}`);
};
