import type { ContainerId, HostId } from '../ids.ts';
import { barredText } from './barred.ts';
import type { Fleet, Wave } from './fleet.ts';
import { giveGrants } from './grants.ts';
import { mayRetry } from './may-grant.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { containerNamed, hostNamed, waveNamed } from './operator-names.ts';
import { unheardBecause } from './silence.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

type Scope = Extract<OperatorAction, { action: 'retry' }>['scope'];

export const scopeSubject = (scope: Scope): string => {
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

/** `container` null: an upgrade, which is a host's and a wave's, and no container's. */
const inScope = (
  scope: Scope,
  { container, host, wave }: { container: ContainerId | null; host: HostId; wave: string },
): boolean => {
  switch (scope.of) {
    case 'container':
      return scope.container === container;
    case 'host':
      return scope.hostId === host;
    case 'wave':
      return scope.waveId === wave;
  }
};

/** What a retry found to do, and why some of it cannot be done now. */
interface Found {
  restarts: number;
  upgrades: number;
  reasons: string[];
  /** Waves that are paused, in which what is asked again waits for their resume. */
  held: Set<Wave>;
}

/** R26: each failed grant, as a new grant that names it. */
const retryGrants = (turn: Turn, actor: string, scope: Scope, found: Found): void => {
  const { fleet } = turn;
  for (const grant of [...fleet.grants.values()]) {
    const { container: id, host, waveId } = grant;
    if (!grant.failed || id === null) continue;
    if (!inScope(scope, { container: id, host, wave: waveId })) continue;
    const wave = fleet.waves.get(waveId);
    const container = fleet.containers.get(id);
    if (wave === undefined || container === undefined) continue;
    const decision = mayRetry(fleet, wave, grant, turn);
    if (decision.kind === 'deny') {
      found.reasons.push(`${id}: ${decision.reason}`);
      continue;
    }
    found.restarts += 1;
    giveGrants(turn, host, [
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
};

/** Why nothing can be asked of a host now; null: it can. */
const awayText = ({ fleet, now }: Turn, hostId: HostId): string | null => {
  const host = fleet.hosts.get(hostId);
  if (host === undefined) return `host ${hostId} is not enrolled`;
  const decided = barredText(host);
  if (decided !== null) return `host ${hostId} is ${decided}`;
  return unheardBecause(fleet, host, now);
};

/** R27: what stayed stale, or cannot be read, may be granted again. */
const askMembersAgain = (turn: Turn, actor: string, scope: Scope, found: Found): void => {
  const { fleet } = turn;
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    for (const [id, member] of wave.members) {
      const container = fleet.containers.get(id);
      if (container === undefined || (member.state !== 'stale' && member.state !== 'unknown'))
        continue;
      const { host } = container;
      if (!inScope(scope, { container: id, host, wave: wave.id })) continue;
      const away = awayText(turn, host);
      if (away !== null) {
        found.reasons.push(`${id}: ${away}`);
        continue;
      }
      container.attemptedAt = null;
      Object.assign(member, { state: 'pending', reason: `retry asked for by ${actor}` });
      found.restarts += 1;
      if (wave.pausedBy !== null) found.held.add(wave);
      touch(turn, { table: 'containers', key: id });
      touch(turn, { table: 'waves', key: wave.id });
    }
  }
};

/** What its repositories did not have is asked for again. */
const notRefused = (turn: Turn, hostId: HostId): void => {
  const host = turn.fleet.hosts.get(hostId);
  if (host === undefined || host.refused.length === 0) return;
  host.refused = [];
  touch(turn, { table: 'hosts', key: hostId });
};

/** R29: a failed upgrade is ordered anew, once nothing pauses its wave; so is one whose mirror did not have what it was to get. */
const retryUpgrades = (turn: Turn, actor: string, scope: Scope, found: Found): void => {
  const { fleet } = turn;
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    for (const [host, upgrade] of wave.upgrades) {
      const refused = fleet.hosts.get(host)?.refused ?? [];
      const isToRetry =
        upgrade.state === 'failed' ||
        (upgrade.state === 'pending' && upgrade.again !== undefined) ||
        (upgrade.state === 'pending' && wave.cause.kind === 'advisories' && refused.length > 0);
      if (!isToRetry || !inScope(scope, { container: null, host, wave: wave.id })) continue;
      const away = awayText(turn, host);
      if (away !== null) {
        found.reasons.push(`upgrade of ${host}: ${away}`);
        continue;
      }
      Object.assign(upgrade, { state: 'pending', reason: `retry asked for by ${actor}` });
      delete upgrade.again;
      notRefused(turn, host);
      found.upgrades += 1;
      if (wave.pausedBy !== null) found.held.add(wave);
      touch(turn, { table: 'waves', key: wave.id });
    }
  }
};

const countText = (n: number, what: string): string[] =>
  n === 0 ? [] : [`${n} ${what}${n === 1 ? ' is' : 's are'} retried`];

/** Asks again for what has failed in the scope: restarts, what stayed stale, and upgrades. */
export const retry = (
  turn: Turn,
  actor: string,
  { scope }: Extract<OperatorAction, { action: 'retry' }>,
): Answer => {
  const there = named(turn.fleet, scope);
  if (typeof there === 'string') return no(there);
  const found: Found = { restarts: 0, upgrades: 0, reasons: [], held: new Set() };
  retryGrants(turn, actor, scope, found);
  askMembersAgain(turn, actor, scope, found);
  retryUpgrades(turn, actor, scope, found);
  const { restarts, upgrades, reasons, held } = found;
  if (restarts + upgrades === 0)
    return no(reasons[0] ?? `nothing of ${scopeSubject(scope)} has failed`);
  audit(turn, {
    action: 'retry-asked',
    subject: scopeSubject(scope),
    waveId: scope.of === 'wave' ? scope.waveId : null,
    actor,
  });
  return ok(
    [
      ...countText(restarts, 'restart'),
      ...countText(upgrades, 'upgrade'),
      ...(reasons.length === 0 ? [] : [`not retried: ${reasons.join(', ')}`]),
      ...[...held].map(({ id }) => `wave ${id} is paused: groundswell resume --wave ${id}`),
    ].join('; '),
  );
};
