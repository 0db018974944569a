import type { Wave } from './fleet.ts';
import { askVoid } from './grants.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { pause, resume } from './operator-holds.ts';
import { addHost, exclude, park } from './operator-hosts.ts';
import { retry } from './operator-retry.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { describeCause, joinWave, openWave, tell } from './waves.ts';

export { OperatorAction } from './operator-action.ts';
export type { Answer } from './operator-action.ts';

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
    audit(turn, { action: 'wave-approved', subject: `wave ${wave.id}`, waveId: wave.id, actor });
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
  if (action === 'decline') {
    wave.endedAt = turn.now;
    const cause = describeCause(wave.cause);
    tell(turn, wave, 'ended', `wave ${wave.id} (${cause}) was declined by ${actor}`);
  }
  for (const grant of grants) askVoid(turn, grant, 'the wave was stopped');
  audit(turn, {
    action: action === 'decline' ? 'wave-declined' : 'wave-stopped',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    actor,
  });
  return ok(
    action === 'decline' ? `wave ${wave.id} is declined` : `wave ${wave.id} is stopping`,
    wave.id,
  );
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
        subject: `freeze ${id}`,
        actor,
        details: { reason: action.reason, until: action.until },
      });
      return ok('frozen', id);
    }
    case 'unfreeze':
      if (!fleet.freezes.delete(action.id)) return no(`no freeze ${action.id}`);
      touch(turn, { table: 'freezes', key: action.id });
      for (const host of fleet.hosts.values()) turn.renew.add(host.id);
      audit(turn, { action: 'unfrozen', subject: `freeze ${action.id}`, actor });
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
      audit(turn, {
        action: 'outage-allowed',
        subject: `service ${action.service}`,
        service: action.service,
        waveId: wave.id,
        actor,
      });
      return ok(`wave ${wave.id} may take ${action.service} below its floor`, wave.id);
    }
    case 'host-add':
      return addHost(turn, actor, action);
    case 'host-exclude':
      return exclude(turn, actor, action.hostId, action.reason);
  }
};
