import type { HostId } from '../ids.ts';
import { barred } from './barred.ts';
import type { Fleet, Host, WaveMember } from './fleet.ts';
import { no, ok } from './operator-action.ts';
import type { Answer } from './operator-action.ts';
import { hostNamed } from './operator-names.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** Why a host cannot be forgotten yet, and what must be done first; null: it can. */
const keptBecause = (fleet: Fleet, host: Host): string | null => {
  const { id } = host;
  if (barred(host) === null)
    return `host ${id} takes part: first groundswell host exclude ${id} --fenced, if its machine is off, or groundswell host revoke ${id}`;
  const held = [...fleet.grants.values()].filter((grant) => grant.host === id);
  if (held.length === 0) return null;
  const names = held.map(({ container }) => container ?? `the upgrade of ${id}`);
  return `host ${id} was given ${names.join(', ')}, which is not over: groundswell host exclude ${id} --fenced ends it, if its machine is off`;
};

/** States of a member of which something is still expected. */
const waiting: ReadonlySet<WaveMember['state']> = new Set(['pending', 'stale', 'unknown']);

/** Waves go on without its containers, and without its upgrade. */
const leaveWaves = (turn: Turn, hostId: HostId): void => {
  const reason = 'its host was removed';
  for (const wave of turn.fleet.waves.values()) {
    if (wave.state !== 'open' && wave.state !== 'stopping') continue;
    for (const [id, member] of wave.members)
      if (id.startsWith(`${hostId}/`) && waiting.has(member.state))
        Object.assign(member, { state: 'gone', reason });
    const upgrade = wave.upgrades.get(hostId);
    if (upgrade !== undefined && upgrade.state !== 'done')
      Object.assign(upgrade, { state: 'failed', reason });
    touch(turn, { table: 'waves', key: wave.id });
  }
};

/** R33: a host that will not come back is forgotten: its containers are members of nothing any more. */
export const removeHost = (turn: Turn, actor: string, hostId: HostId): Answer => {
  const { fleet } = turn;
  const host = hostNamed(fleet, hostId);
  if (typeof host === 'string') return no(host);
  const kept = keptBecause(fleet, host);
  if (kept !== null) return no(kept);
  const containers = [...fleet.containers.values()].filter(
    (container) => container.host === hostId,
  );
  for (const { id } of containers) {
    fleet.containers.delete(id);
    touch(turn, { table: 'containers', key: id });
  }
  leaveWaves(turn, hostId);
  for (const { id, level } of fleet.pauses.values()) {
    if ((level.level !== 'host' && level.level !== 'queue') || level.hostId !== hostId) continue;
    fleet.pauses.delete(id);
    touch(turn, { table: 'pauses', key: id });
  }
  if (host.observeJob !== null) turn.closes.push(host.observeJob);
  fleet.hosts.delete(hostId);
  touch(turn, { table: 'hosts', key: hostId });
  audit(turn, {
    action: 'host-removed',
    subject: `host ${hostId}`,
    actor,
    details: { containers: containers.map(({ view }) => view.name) },
  });
  const count = containers.length === 1 ? '1 container' : `${containers.length} containers`;
  return ok(`host ${hostId} is removed, with ${count}`);
};
