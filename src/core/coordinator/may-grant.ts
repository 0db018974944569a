import type { Decision } from '../agent/checks.ts';
import { describeOptOut } from '../opt-out.ts';
import { pauseHolds } from '../pause-level.ts';
import { platformValue } from '../platform-value.ts';
import type { Mode } from '../service-settings.ts';
import { barred } from './barred.ts';
import { serviceState, unavailableBecause } from './availability.ts';
import type { ServiceState } from './availability.ts';
import { gateText } from './gate-text.ts';
import type { Container, Fleet, Freeze, Grant, Pause, Wave } from './fleet.ts';
import { pauseText } from './pause-subject.ts';
import { unheardBecause } from './silence.ts';

const deny = (reason: string): Decision => ({ kind: 'deny', reason });
const strictness: Mode[] = ['observe', 'approve', 'auto'];

/** The strictest of the service's and the platform's mode (design §9). */
export const modeFor = (fleet: Fleet, container: Container): Mode => {
  const service = fleet.services.get(container.service)?.mode ?? 'approve';
  const platform =
    platformValue(fleet.settings.platformModes, fleet.hosts.get(container.host)?.platform ?? '') ??
    'auto';
  return (
    strictness[Math.min(strictness.indexOf(service), strictness.indexOf(platform))] ?? 'approve'
  );
};

/** What keeps a container from being more than looked at; null: it may be restarted by itself or on approval. */
export const observedBecause = (fleet: Fleet, container: Container): string | null => {
  if (modeFor(fleet, container) !== 'observe') return null;
  const by =
    fleet.services.get(container.service)?.mode === 'observe'
      ? `service ${container.service}`
      : `platform ${fleet.hosts.get(container.host)?.platform ?? ''}`;
  return `only observed: ${by} is in mode observe`;
};

/** Why a container that is not restarted for its root is left alone. */
export const notOnHostRoot = ({ view }: Container): string =>
  view.rootNote === '' ? 'it does not stand on the host root' : view.rootNote;

const pauseOf = (fleet: Fleet, wave: Wave, { host, service }: Container): Pause | undefined =>
  [...fleet.pauses.values()].find(({ level }) =>
    pauseHolds(level, { waveId: wave.id, hostId: host, services: [service] }),
  );

export const freezesInForce = (fleet: Fleet, wallMs: number): Freeze[] =>
  [...fleet.freezes.values()].filter(({ until }) => until === null || until > wallMs);

/** What each freeze in force is for and what lifts it: why nothing begins. Null: there is none. */
export const frozenText = (fleet: Fleet, wallMs: number): string | null =>
  freezesInForce(fleet, wallMs)
    .map(({ id, reason }) => `freeze: ${reason}; groundswell unfreeze ${id}`)
    .join(', and ') || null;

const clock = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');

/** Whether the daily window is open at this minute of the day; it may reach over midnight. */
export const windowOpen = (fleet: Fleet, minute: number): boolean => {
  const { window } = fleet.settings;
  if (window === null) return true;
  return window.fromMinute <= window.toMinute
    ? minute >= window.fromMinute && minute < window.toMinute
    : minute >= window.fromMinute || minute < window.toMinute;
};

/**
 * Why the daily window lets nothing of a wave begin; null: it does. What somebody asked for by hand does not wait for it, nor
 * does what has waited until its latest start.
 */
export const windowDenies = (
  fleet: Fleet,
  { byHand, cause }: Wave,
  wall: Moment['wall'],
): string | null => {
  const { window } = fleet.settings;
  if (window === null || byHand || windowOpen(fleet, wall.minuteOfDay)) return null;
  if (cause.kind === 'advisories' && cause.startBy !== null && wall.ms >= cause.startBy)
    return null;
  const { fromMinute, toMinute, timezone = 'server time' } = window;
  return `outside the maintenance window (${clock(fromMinute)} to ${clock(toMinute)}, ${timezone})`;
};

/** Attempts of a wave that count as failed or may yet: failures, and grants past their deadline (R20, R32). */
export const failuresOf = (fleet: Fleet, wave: Wave): number =>
  wave.failures +
  [...fleet.grants.values()].filter(
    (grant) => grant.waveId === wave.id && grant.suspect && !grant.failed,
  ).length;

const inFlight = (fleet: Fleet, keep: (grant: Grant) => boolean): number =>
  [...fleet.grants.values()].filter((grant) => grant.kind === 'restart' && keep(grant)).length;

/** Host, zone and fleet caps count every open restart grant (I6). */
const capDenies = (
  fleet: Fleet,
  container: Container,
  replaces: string | null,
): Decision | null => {
  const host = fleet.hosts.get(container.host);
  if (host === undefined) return deny('its host is not enrolled');
  const others = (keep: (grant: Grant) => boolean): number =>
    inFlight(fleet, (grant) => grant.id !== replaces && keep(grant));
  const hostCap = host.cap ?? fleet.settings.hostCap;
  const onHost = others((grant) => grant.host === host.id);
  if (onHost >= hostCap)
    return deny(`host ${host.id} has ${onHost} of ${hostCap} restarts in flight`);
  const { zoneCap, fleetCap } = fleet.settings;
  if (zoneCap !== null) {
    const inZone = others((grant) => fleet.hosts.get(grant.host)?.zone === host.zone);
    if (inZone >= zoneCap)
      return deny(`zone ${host.zone} has ${inZone} of ${zoneCap} restarts in flight`);
  }
  if (fleetCap !== null && others(() => true) >= fleetCap)
    return deny(`the fleet has ${fleetCap} of ${fleetCap} restarts in flight`);
  return null;
};

export interface Moment {
  now: number;
  wall: { ms: number; minuteOfDay: number };
}

/** What forbids restarts of a wave on a container's host at all, whoever is asked for. */
const waveDenies = (
  fleet: Fleet,
  wave: Wave,
  container: Container,
  { wall }: Moment,
  retry: boolean,
): Decision | null => {
  const frozen = frozenText(fleet, wall.ms);
  if (frozen !== null) return deny(frozen);
  // R26: a retry passes pause and threshold, and the end of its wave, not a freeze.
  if (retry) return null;
  if (wave.state !== 'open') return deny(`the wave is ${wave.state}`);
  const outside = windowDenies(fleet, wave, wall);
  if (outside !== null) return deny(outside);
  const pause = pauseOf(fleet, wave, container);
  if (pause !== undefined) return deny(pauseText(pause));
  if (wave.pausedBy !== null) return deny(`the wave is paused: ${wave.pausedBy}`);
  if (failuresOf(fleet, wave) > wave.maxFailures) return deny('the error threshold is exceeded');
  const onlyObserved = observedBecause(fleet, container);
  if (!wave.byHand && onlyObserved !== null) return deny(onlyObserved);
  if (
    !wave.byHand &&
    wave.approvedBy === null &&
    (modeFor(fleet, container) === 'approve' || wave.cause.kind === 'found-stale')
  )
    return deny(`waits for approval: groundswell approve ${wave.id}`);
  if (wave.stage === 'canary') {
    const flying = inFlight(fleet, (grant) => grant.waveId === wave.id && !grant.failed);
    const room = Math.min(
      wave.maxFailures - wave.failures + 1,
      fleet.settings.canaries - wave.goodCanaries,
    );
    if (flying >= room) return deny('waits for the canary');
  }
  return null;
};

const containerDenies = (
  fleet: Fleet,
  wave: Wave,
  container: Container,
  { now, wall }: Moment,
): Decision | null => {
  const { view } = container;
  const host = fleet.hosts.get(container.host);
  if (host === undefined) return deny('its host is not enrolled');
  const decided = barred(host);
  if (decided !== null) return deny(`its host is ${decided}`);
  if (!host.known || host.incarnation === null) return deny('its host has not reported yet');
  const unheard = unheardBecause(fleet, host, now);
  if (unheard !== null) return deny(unheard);
  if (host.suspects.some(({ container: name }) => name === view.name))
    return deny('its host lost its journal and has not answered for it yet');
  if (!host.atRest)
    return deny(`the package database of ${host.id} is not at rest: ${host.atRestReason}`);
  const gate = gateText(host);
  if (gate !== null && !wave.byHand) return deny(`${gate}; it is asked again every few seconds`);
  if (!view.onHostRoot) return deny(notOnHostRoot(container));
  if (container.membershipProblem !== null) return deny(container.membershipProblem);
  if (view.optOut !== null && (view.optOut.until === null || view.optOut.until > wall.ms))
    return deny(describeOptOut(view.optOut));
  if (container.parked) return deny('parked');
  if (view.state === 'stopped' && !view.died)
    return deny(
      view.ownerStopped
        ? 'stopped by its owner'
        : `it is stopped: start it, or groundswell container park ${view.name}`,
    );
  if (view.instance === null && !view.died) return deny(`it is ${view.state}`);
  if ([...fleet.grants.values()].some((grant) => grant.container === container.id))
    return deny('it has a grant already');
  if (!(container.service in host.settingsHashes) && !('*' in host.settingsHashes))
    return deny(`host ${host.id} has no settings for service ${container.service}`);
  if (
    [...fleet.grants.values()].some((grant) => grant.kind === 'upgrade' && grant.host === host.id)
  )
    return deny('its host is being upgraded');
  if (container.refusal !== null && (container.refusal.until > now || !container.refusal.seenSince))
    return deny(`was refused: ${container.refusal.reason}; asked again soon`);
  // R25: what it would run old code, or be restarted in vain, is down already.
  if (view.died) return null;
  // R27: not again before a newer package transaction, or a retry by hand.
  if (!wave.byHand && container.attemptedAt !== null && host.transactions <= container.attemptedAt)
    return deny(`restarted already, and still ${container.lastVerification ?? 'stale'}`);
  const [unread] = view.unreadable;
  if (!wave.byHand && view.stale.length === 0)
    return deny(
      unread === undefined
        ? 'nothing stale runs in it'
        : `unknown whether it runs old code (${unread.what}: ${unread.reason}); groundswell restart ${container.id} does it in any case`,
    );
  return null;
};

/** R17: the budget of the service, and of every service that this container counts in. */
const budgetDenies = (
  fleet: Fleet,
  wave: Wave,
  container: Container,
  { now }: Moment,
): Decision | { kind: 'allow'; reason: string; onlyIfBroken: boolean } => {
  const state = serviceState(fleet, container.service, now, { giving: true });
  const others = [...state.unavailable.keys()].filter((id) => id !== container.id).length;
  const slot = `slot ${others + 1} of ${state.limit} in ${state.name}`;
  if (others + 1 <= state.limit) return { kind: 'allow', reason: slot, onlyIfBroken: false };
  if (wave.outagesAllowed.includes(container.service))
    return {
      kind: 'allow',
      reason: `beyond the budget of ${state.name}: an outage is allowed`,
      onlyIfBroken: false,
    };
  // R25: nothing is stopped for it.
  if (container.view.died)
    return {
      kind: 'allow',
      reason: `beyond the budget of ${state.name}: it is only started`,
      onlyIfBroken: false,
    };
  const broken = unavailableBecause(fleet, container, now);
  if (
    broken !== null &&
    fleet.services.get(container.service)?.restartBroken === true &&
    container.view.health === 'unhealthy'
  )
    return {
      kind: 'allow',
      reason: `beyond the budget of ${state.name}: it is broken (${broken})`,
      onlyIfBroken: true,
    };
  return deny(
    state.limit === 0
      ? noBudgetText(wave, state.name)
      : `service ${state.name} has ${unavailableText(state)}`,
  );
};

/** R17: nothing goes beyond a budget of 0 without a person's word. */
export const noBudgetText = ({ id }: Wave, service: string): string =>
  `the budget of service ${service} is 0: groundswell allow-outage ${id} ${service}`;

/** What takes up a budget, the first few by name. */
export const unavailableText = ({ unavailable, limit }: ServiceState): string => {
  const names = [...unavailable].slice(0, 3).map(([id, why]) => `${id} (${why})`);
  return `${unavailable.size} of ${limit} unavailable: ${names.join(', ')}`;
};

/** R19: whether a container may be granted now, and on which ground or why not. An unclear answer is a denial. */
export const mayGrant = (
  fleet: Fleet,
  wave: Wave,
  container: Container,
  moment: Moment,
): { kind: 'allow'; reason: string; onlyIfBroken: boolean } | { kind: 'deny'; reason: string } => {
  const denied =
    waveDenies(fleet, wave, container, moment, false) ??
    containerDenies(fleet, wave, container, moment) ??
    capDenies(fleet, container, null);
  if (denied !== null && denied.kind !== 'allow') return { kind: 'deny', reason: denied.reason };
  const budget = budgetDenies(fleet, wave, container, moment);
  return budget.kind === 'allow' && 'onlyIfBroken' in budget
    ? budget
    : { kind: 'deny', reason: 'reason' in budget ? budget.reason : 'unclear' };
};

/** R26: whether a failed grant may be retried now: it keeps its unit and its places under the caps. */
export const mayRetry = (
  fleet: Fleet,
  wave: Wave,
  grant: Grant,
  moment: Moment,
): { kind: 'allow' } | { kind: 'deny'; reason: string } => {
  if (!grant.failed || grant.container === null)
    return { kind: 'deny', reason: 'it has not failed' };
  const container = fleet.containers.get(grant.container);
  const host = fleet.hosts.get(grant.host);
  if (container === undefined || host === undefined) return { kind: 'deny', reason: 'it is gone' };
  const decided = barred(host);
  if (decided !== null) return { kind: 'deny', reason: `its host is ${decided}` };
  const unheard = unheardBecause(fleet, host, moment.now);
  if (unheard !== null) return { kind: 'deny', reason: unheard };
  if (host.incarnation === null || host.suspects.some(({ grantId }) => grantId === grant.id))
    return { kind: 'deny', reason: 'its host lost its journal and has not answered for it yet' };
  if (
    [...fleet.grants.values()].some(
      (other) => other.expect?.kind === 'retry' && other.expect.grantId === grant.id,
    )
  )
    return { kind: 'deny', reason: 'it is being retried already' };
  const denied = waveDenies(fleet, wave, container, moment, true);
  if (denied !== null && denied.kind !== 'allow') return { kind: 'deny', reason: denied.reason };
  return { kind: 'allow' };
};
