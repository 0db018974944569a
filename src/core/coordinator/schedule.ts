import type { HostId } from '../ids.ts';
import { pauseHolds } from '../pause-level.ts';
import { hasBegun } from './advisories-cause.ts';
import { barredText } from './barred.ts';
import { serviceState } from './availability.ts';
import { decisionsNow } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { orderFor } from './entry-verdict.ts';
import { isAdvisoryWave } from './open-advisory-waves.ts';
import type { Container, Fleet, Grant, Host, Wave, WaveUpgrade } from './fleet.ts';
import { pauseText } from './pause-subject.ts';
import { servicesOn } from './services-on.ts';
import { grantWaits, isSilent, unheardBecause } from './silence.ts';
import { advisoriesOf, askVoid, beginWave, giveGrants } from './grants.ts';
import type { GrantPlan } from './grants.ts';
import {
  failuresOf,
  frozenText,
  mayGrant,
  noBudgetText,
  unavailableText,
  windowDenies,
} from './may-grant.ts';
import { newGrant } from './new-grant.ts';
import { alongFor } from './proved.ts';
import { causeOf, expectOf } from './restart-of.ts';
import { silentUpgradeText, suspectText } from './standing-alerts.ts';
import { inOrderOfTries, waitsForAnotherTry } from './try-upgrade-again.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { pauseWave, tell } from './waves.ts';

const begun = (grant: Grant): boolean =>
  grant.step !== null && !['journaled', 'draining', 'drained'].includes(grant.step);

/**
 * I2: when something else broke and a service is beyond its budget, what has not begun is asked back.
 * Retries, starts of what died, and what an operator or the policy let pass the budget are left.
 */
export const voidBeyondBudget = (turn: Turn): void => {
  const { fleet, now } = turn;
  const services = new Set(
    [...fleet.grants.values()]
      .filter((grant) => grant.kind === 'restart' && !begun(grant) && grant.voidAsked === null)
      .map(({ service }) => service),
  );
  for (const service of services) {
    if (service === null) continue;
    const state = serviceState(fleet, service, now);
    if (state.unavailable.size <= state.limit) continue;
    for (const grant of fleet.grants.values()) {
      const outage = fleet.waves.get(grant.waveId)?.outagesAllowed.includes(service) ?? false;
      if (
        grant.service === service &&
        !begun(grant) &&
        grant.expect?.kind !== 'retry' &&
        grant.expect?.kind !== 'died' &&
        !grant.onlyIfBroken &&
        !outage
      )
        askVoid(
          turn,
          grant,
          `service ${service} has ${state.unavailable.size} of ${state.limit} unavailable`,
        );
    }
  }
};

/** R29: the other hosts of its wave wait for it, which its deadline of an hour would tell too late. */
const tellOfSilence = (turn: Turn, { kind, host: hostId, waveId }: Grant): void => {
  const host = turn.fleet.hosts.get(hostId);
  const wave = turn.fleet.waves.get(waveId);
  if (kind !== 'upgrade' || host === undefined || wave === undefined) return;
  if (isSilent(turn.fleet, host, turn.now)) tell(turn, wave, 'alert', silentUpgradeText(hostId));
};

/** R20: a grant not begun in time is asked back; one not over in time is suspect and counts as an error. */
export const watchDeadlines = (turn: Turn): void => {
  const { fleet, now } = turn;
  for (const grant of fleet.grants.values()) {
    if (now >= grant.beginBefore && !begun(grant)) askVoid(turn, grant, 'it did not begin in time');
    tellOfSilence(turn, grant);
    if (now >= grant.deadline && !grant.suspect && !grant.failed) {
      grant.suspect = true;
      touch(turn, { table: 'grants', key: grant.id });
      audit(turn, {
        action: 'grant-suspect',
        subject: grant.container ?? grant.host,
        waveId: grant.waveId,
        grantId: grant.id,
      });
      const text = suspectText(fleet, grant, now);
      turn.notices.push({ kind: 'alert', waveId: grant.waveId, text });
      const wave = fleet.waves.get(grant.waveId);
      if (wave !== undefined && failuresOf(fleet, wave) > wave.maxFailures)
        pauseWave(turn, wave, text);
    }
  }
};

/** Candidates in the order in which they are asked: approved waves by age, then by name, so that order is predictable. */
const candidates = (fleet: Fleet): { wave: Wave; container: Container }[] => {
  const found: { wave: Wave; container: Container }[] = [];
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    for (const [id, { state }] of wave.members) {
      const container = state === 'pending' ? fleet.containers.get(id) : undefined;
      if (container !== undefined) found.push({ wave, container });
    }
  }
  return found;
};

/** Rolling window (design §7): each unit that is free goes to the next candidate anywhere. */
export const schedule = (turn: Turn): void => {
  const { fleet } = turn;
  const batches = new Map<string, { host: HostId; plans: GrantPlan[] }>();
  for (const { wave, container } of candidates(fleet)) {
    const expect = expectOf(container);
    if (wave.members.get(container.id)?.state !== 'pending' || expect === null) continue;
    const decision = mayGrant(fleet, wave, container, turn);
    if (decision.kind === 'deny') continue;
    const plan: GrantPlan = {
      wave,
      container,
      expect,
      byHand: wave.byHand,
      onlyIfBroken: decision.onlyIfBroken,
      why: `${causeOf(container)}; ${decision.reason}${wave.approvedBy === null ? '' : `; approved by ${wave.approvedBy}`}`,
    };
    // Granted one by one, so that each counts for the next; sent together as one batch of the host.
    const key = `${wave.id} ${container.host}`;
    const batch = batches.get(key) ?? { host: container.host, plans: [] };
    batch.plans.push(plan);
    batches.set(key, batch);
    reserve(turn, plan);
  }
  for (const [, { host, plans }] of batches) {
    for (const { container } of plans) fleet.grants.delete(reservation(container));
    giveGrants(turn, host, plans);
  }
};

const reservation = (container: Container): string => `reserved ${container.id}`;

/** A stand-in that counts like the grant that the batch is about to write. */
const reserve = (
  { fleet, now }: Turn,
  { wave, container, expect, byHand, onlyIfBroken, why }: GrantPlan,
): void => {
  const grant = newGrant({
    id: reservation(container),
    jobId: '',
    waveId: wave.id,
    kind: 'restart',
    host: container.host,
    container: container.id,
    service: container.service,
    expect,
    attempt: 1,
    byHand,
    onlyIfBroken,
    disruptive: false,
    grantedAt: now,
    beginBefore: now,
    deadline: now,
    transactions: 0,
    why,
  });
  fleet.grants.set(grant.id, grant);
};

/** By a person's word, or by the policy of the platform. */
const mayUpgrade = ({ approvedBy, cause }: Wave): boolean =>
  approvedBy !== null || (cause.kind === 'advisories' && cause.mode === 'auto');

/** What a host is to get now, or why not yet: by what is decided now, where advisories ask for it. */
const packagesNow = (
  { fleet, now, wall }: Turn,
  decisions: Decisions,
  { wave, host, upgrade }: { wave: Wave; host: Host; upgrade: WaveUpgrade },
): ReturnType<typeof orderFor> =>
  isAdvisoryWave(wave)
    ? orderFor(decisions, {
        ...{ fleet, wave, host, upgrade, now, wallMs: wall.ms },
        hasBegun: () => hasBegun(wave),
        mayFollow: () => true,
      })
    : { kind: 'order', packages: [...upgrade.packages] };

/** What an upgrade brings, with what else of the same sources its host is offered: that comes along. */
const namesIn = ({ needs }: Host, { packages }: WaveUpgrade): string[] =>
  packages.flatMap(({ name: asked }) => {
    // A person may ask for one architecture: `libssl3:amd64`.
    const name = asked.replace(/:.*/, '');
    return [name, ...(needs?.list.find((need) => need.name === name)?.siblings ?? [])];
  });

/** R29: upgrades that a wave asked for; a disruptive one needs room in every budget of its host. */
export const orderUpgrades = (turn: Turn): void => {
  const { fleet, now } = turn;
  const decisions = decisionsNow(fleet, turn.wall.ms);
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open' || !mayUpgrade(wave) || wave.pausedBy !== null) continue;
    for (const [hostId, upgrade] of inOrderOfTries(wave.upgrades)) {
      const host = fleet.hosts.get(hostId);
      if (upgrade.state !== 'pending' || host === undefined) continue;
      const disruptive =
        fleet.hosts.size > 1 &&
        (upgrade.mode === 'security' ||
          namesIn(host, upgrade).some((name) => fleet.settings.disruptivePackages.includes(name)));
      const services = disruptive ? servicesOn(fleet, hostId) : [];
      const denied =
        upgradeDenied(turn, wave, host, services) ??
        waitsForAnotherTry(upgrade, now) ??
        noRoom(turn, wave, hostId, services);
      const order: ReturnType<typeof orderFor> =
        denied === null
          ? packagesNow(turn, decisions, { wave, host, upgrade })
          : { kind: 'wait', reason: denied };
      const reason = order.kind === 'wait' ? order.reason : '';
      if (reason !== upgrade.reason) touch(turn, { table: 'waves', key: wave.id });
      upgrade.reason = reason;
      if (order.kind === 'wait' || host.incarnation === null) continue;
      const { packages } = order;
      const jobId = `${hostId}_${turn.newId()}`;
      const grantId = turn.newId();
      upgrade.state = 'running';
      const grant = newGrant({
        id: grantId,
        jobId,
        waveId: wave.id,
        kind: 'upgrade',
        host: hostId,
        container: null,
        service: null,
        expect: null,
        attempt: 1,
        byHand: wave.byHand,
        onlyIfBroken: false,
        disruptive,
        grantedAt: now,
        beginBefore: now + fleet.settings.beginBeforeMs,
        deadline: now + 6 * fleet.settings.deadlineMs,
        transactions: host.transactions,
        why: `upgrade of ${hostId}`,
      });
      fleet.grants.set(grantId, grant);
      touch(turn, { table: 'grants', key: grantId });
      beginWave(turn, wave);
      turn.renew.add(hostId);
      audit(turn, {
        action: 'upgrade-ordered',
        subject: hostId,
        waveId: wave.id,
        grantId,
        actor: wave.approvedBy ?? 'groundswell',
        details: {
          mode: upgrade.mode,
          packages: packages.map(({ name, version }) => `${name} ${version ?? 'newest'}`),
          ...advisoriesOf(wave),
        },
      });
      turn.sends.push({
        host: hostId,
        jobId,
        incarnation: host.incarnation,
        expiresAt: now + fleet.settings.beginBeforeMs,
        kind: 'host-upgrade',
        payload: {
          waveId: wave.id,
          grantId,
          mode: upgrade.mode,
          packages,
          ...alongFor(wave, packages),
          allowRemove: upgrade.allowRemove,
          services,
          beginBefore: now + fleet.settings.beginBeforeMs,
          deadline: now + 6 * fleet.settings.deadlineMs,
        },
      });
    }
  }
};

/** R29: a disruptive upgrade holds one unit of each service of its host; on a single host its approval stands for them. */
const noRoom = (
  { fleet, now }: Turn,
  wave: Wave,
  hostId: HostId,
  services: readonly string[],
): string | null => {
  for (const service of services) {
    // R17: a person has said that this wave may.
    if (wave.outagesAllowed.includes(service)) continue;
    const state = serviceState(fleet, service, now, { giving: true });
    if (state.limit === 0) return noBudgetText(wave, service);
    if (state.unavailable.size + 1 > state.limit)
      return `service ${service} has no room for a disruptive upgrade of ${hostId}: ${unavailableText(state)}`;
  }
  return null;
};

/** R29: one host of a wave after another, so that one that does not pass its gate stops the wave before the next. */
const upgradeDenied = (
  { fleet, now, wall }: Turn,
  wave: Wave,
  to: Host,
  services: readonly string[],
): string | null => {
  const hostId = to.id;
  const decided = barredText(to);
  if (decided !== null) return decided;
  if (to.incarnation === null || !to.known) return 'it has not reported yet';
  const unheard = unheardBecause(fleet, to, now);
  if (unheard !== null) return unheard;
  const frozen = frozenText(fleet, wall.ms);
  if (frozen !== null) return frozen;
  const outside = windowDenies(fleet, wave, wall);
  if (outside !== null) return outside;
  const pause = [...fleet.pauses.values()].find(({ level }) =>
    pauseHolds(level, { waveId: wave.id, hostId, services }),
  );
  if (pause !== undefined) return pauseText(pause);
  if ([...fleet.grants.values()].some((grant) => grant.kind === 'upgrade' && grant.host === hostId))
    return 'another upgrade of this host is under way';
  const before = [...fleet.grants.values()].find(
    ({ kind, waveId, host }) => kind === 'upgrade' && waveId === wave.id && host !== hostId,
  );
  if (before === undefined) return null;
  const waits = grantWaits(fleet, before, now);
  return `waits for the upgrade of ${before.host} and its host gate${waits === null ? '' : `; ${waits}`}`;
};
