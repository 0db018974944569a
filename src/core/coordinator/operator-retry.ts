import type { Fleet } from './fleet.ts';
import { giveGrants } from './grants.ts';
import { mayRetry } from './may-grant.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { containerNamed, hostNamed, waveNamed } from './operator-names.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

type Scope = Extract<OperatorAction, { action: 'retry' }>['scope'];

const scopeSubject = (scope: Scope): string => {
  switch (scope.of) {
    case 'container':
      return `container ${scope.container}`;
    case 'host':
      return `host ${scope.hostId}`;
    case 'wave':
      return `wave ${scope.waveId}`;
  }
};

const named = (fleet: Fleet, scope: Scope): object | string => {
  switch (scope.of) {
    case 'container':
      return containerNamed(fleet, scope.container);
    case 'host':
      return hostNamed(fleet, scope.hostId);
    case 'wave':
      return waveNamed(fleet, scope.waveId);
  }
};

/** R26: each failed grant of the scope, as a new grant that names it; one that stayed stale may be asked again. */
export const retry = (
  turn: Turn,
  actor: string,
  action: Extract<OperatorAction, { action: 'retry' }>,
): Answer => {
  const { fleet } = turn;
  const { scope } = action;
  const what = named(fleet, scope);
  if (typeof what === 'string') return no(what);
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
  if (count === 0) return no(reasons[0] ?? `nothing of ${scopeSubject(scope)} has failed`);
  audit(turn, {
    action: 'retry-asked',
    subject: scopeSubject(scope),
    waveId: scope.of === 'wave' ? scope.waveId : null,
    actor,
  });
  return ok(`${count} ${count === 1 ? 'restart is' : 'restarts are'} retried`);
};
