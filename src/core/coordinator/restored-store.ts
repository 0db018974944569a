import { containerId } from '../ids.ts';
import type { ContainerId } from '../ids.ts';
import { compareRecordNumbers } from '../messages.ts';
import type { HostObserved, RecordNumber, SequencedReport } from '../messages.ts';
import { barred } from './barred.ts';
import { jobOf, onFinished } from './end-of-grant.ts';
import { generationOf } from './fleet.ts';
import type { Fleet, Host, Wave } from './fleet.ts';
import { askAnew, beginProvedGeneration, latestGeneration } from './new-generation.ts';
import { newGrant } from './new-grant.ts';
import { doubters } from './silence.ts';
import { heldTwiceText, holdsTooManyText, knowsMoreText } from './standing-alerts.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** No honest record is so far ahead. */
const largestNumber = 2 ** 40;
/** One host may be broken, or in others' hands: it alone proves nothing about the others. */
const wanted = 2;

/** Whether it has heard a record that this store has not issued. */
const isAhead = (fleet: Fleet, host: Host, echo: RecordNumber): boolean =>
  Math.max(...echo) < largestNumber &&
  compareRecordNumbers(echo, [generationOf(fleet, host), fleet.epoch, host.recordN]) > 0;

/** Whether enough hosts know more than the store: two, or all that there are, be they silent or not. */
const isProved = (fleet: Fleet, by: readonly Host[]): boolean => {
  const all = [...fleet.hosts.values()].filter(
    (host) => barred(host) === null && host.incarnation !== null,
  );
  return by.length > 0 && by.length >= Math.min(wanted, all.length);
};

/** Of those that one host is compared with, some may have been excluded since. */
export const settleDoubt = (turn: Turn): void => {
  const by = doubters(turn.fleet);
  if (!turn.fleet.raised && isProved(turn.fleet, by)) beginProvedGeneration(turn, by);
};

/** Of each host once under one leader: it has told all then, and says no more of others than it did. */
const prove = (turn: Turn, host: Host, { echo, acked }: SequencedReport): void => {
  const { fleet } = turn;
  fleet.provers.push(host.id);
  const own = [generationOf(fleet, host), fleet.epoch, host.recordN].join('.');
  askAnew(turn, host, Math.max(...echo) < largestNumber ? echo[0] : 0);
  host.knowsMore = !fleet.raised;
  const isOver = fleet.raised || isProved(fleet, doubters(fleet));
  audit(turn, {
    action: 'store-restored',
    subject: host.id,
    outcome: isOver ? 'proved' : 'in doubt',
    details: { own, echoed: echo.join('.'), acknowledged: acked, applied: host.ackedSeq },
  });
  settleDoubt(turn);
  if (!isOver) turn.notices.push({ kind: 'alert', waveId: null, text: knowsMoreText(host.id) });
};

/**
 * R16: a host that has heard a record which this store has not issued, or to which more was acknowledged than it has
 * applied, knows more than the store: it is asked for all, and two of them prove that the store was restored from a backup.
 * What was acknowledged is gone for good, so the host's reports are taken up after it. `isKnown`: this store has heard the
 * host before.
 */
export const noticeRestore = (
  turn: Turn,
  host: Host,
  message: SequencedReport,
  { isKnown }: { isKnown: boolean },
): void => {
  const { fleet } = turn;
  const { echo, acked } = message;
  const isForgotten = acked > host.ackedSeq;
  const isSameLeader = echo[0] === generationOf(fleet, host) && echo[1] === fleet.epoch;
  const ahead = isAhead(fleet, host, echo);
  // It was removed and added again, or has served another server: its agent hears nothing below what it has heard (R13).
  if (ahead && !isKnown && isSameLeader) host.recordN = echo[2];
  else if (ahead && !isKnown) askAnew(turn, host, echo[0]);
  // One that was away when the store was restored comes back: that is known.
  const comesBack = host.resync && (fleet.raised || echo[0] < generationOf(fleet, host));
  const isFar = echo[0] > latestGeneration(fleet, generationOf(fleet, host));
  const knowsMore = isKnown && ((ahead && !isFar) || (isForgotten && !comesBack));
  if (knowsMore && !fleet.provers.includes(host.id)) prove(turn, host, message);
  if (!isForgotten) return;
  host.ackedSeq = acked;
  host.copiesMissing = true;
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
};

/** Nothing that a host says of itself is believed: its containers are unavailable. */
const disbelieve = (turn: Turn, host: Host, why: string): void => {
  if (host.known) turn.notices.push({ kind: 'alert', waveId: null, text: why });
  host.known = false;
};

/**
 * What another host holds cannot be held by this one too: one of them is not what it says, and nobody knows which. Nothing is
 * known of the one that says so later: its containers are unavailable until the other is excluded.
 */
const isHeldElsewhere = (turn: Turn, host: Host, grantId: string): boolean => {
  const there = turn.fleet.grants.get(grantId);
  if (there === undefined || there.host === host.id) return false;
  disbelieve(turn, host, heldTwiceText(host.id, there.host));
  return true;
};

/** Far more than any host is given at once: each turn goes through all grants. */
const mostOpen = 1_000;

/** R25: what is down because of a grant is not down on purpose, whatever the store had said of it before. */
const countAgain = (turn: Turn, id: ContainerId): void => {
  const container = turn.fleet.containers.get(id);
  if (container?.parked !== true || container.view.parked !== null) return;
  container.parked = false;
  turn.renew.add(container.host);
  touch(turn, { table: 'containers', key: id });
};

/** What only its agent knows of is open and counted from here on: each observation names all that it holds. */
export const adoptGrants = (turn: Turn, host: Host, report: HostObserved): void => {
  const { fleet, now } = turn;
  const unknown = [...report.openGrants, ...report.openUpgrades].filter(
    ({ grantId }) => !fleet.grants.has(grantId),
  );
  const open = [...fleet.grants.values()].filter((grant) => grant.host === host.id).length;
  if (unknown.length > 0 && open + unknown.length > mostOpen) {
    disbelieve(turn, host, holdsTooManyText(host.id));
    return;
  }
  const common = {
    ...{ host: host.id, attempt: 1, byHand: false, onlyIfBroken: false, expect: null },
    ...{ grantedAt: now, beginBefore: now, deadline: now + fleet.settings.deadlineMs },
    // For how many it was given is forgotten: old code after it is no failed attempt (R27).
    transactions: -1,
    why: 'known to its agent alone: the store did not know of it',
  };
  for (const { grantId, waveId, container: name, step, failed } of report.openGrants) {
    if (isHeldElsewhere(turn, host, grantId) || fleet.grants.has(grantId)) continue;
    const id = containerId(host.id, name);
    const service = fleet.containers.get(id)?.service ?? null;
    // A host has a part in no wave that does not name it.
    const member = fleet.waves.get(waveId)?.members.get(id);
    const ownWave = member === undefined ? '' : waveId;
    const grant = newGrant({
      ...common,
      ...{ id: grantId, jobId: '', waveId: ownWave, kind: 'restart', container: id, service },
      disruptive: false,
    });
    const failReason = failed ? 'failed before the store knew of it' : null;
    fleet.grants.set(grantId, { ...grant, step, failed, failReason });
    touch(turn, { table: 'grants', key: grantId });
    countAgain(turn, id);
    if (member?.state !== 'pending') continue;
    Object.assign(member, { state: failed ? 'failed' : 'restarting', reason: common.why });
    touch(turn, { table: 'waves', key: waveId });
  }
  for (const { grantId, waveId, jobId, services } of report.openUpgrades) {
    if (isHeldElsewhere(turn, host, grantId) || fleet.grants.has(grantId)) continue;
    const upgrade = fleet.waves.get(waveId)?.upgrades.get(host.id);
    const ownWave = upgrade === undefined ? '' : waveId;
    const grant = newGrant({
      ...common,
      ...{ id: grantId, jobId: jobOf(host, jobId), waveId: ownWave },
      ...{ kind: 'upgrade', container: null, service: null },
      disruptive: services.length > 0,
    });
    fleet.grants.set(grantId, { ...grant, step: 'journaled' });
    touch(turn, { table: 'grants', key: grantId });
    if (upgrade?.state !== 'pending') continue;
    Object.assign(upgrade, { state: 'running', reason: common.why });
    touch(turn, { table: 'waves', key: waveId });
  }
};

const heldNoMore =
  'its agent does not hold it: it was never begun, or ended after the backup that the store was restored from';

const forgotten = {
  state: 'unknown',
  reason: 'whether it was done is forgotten: the store was restored from a backup',
} as const;

/**
 * Members of a wave whose grants are over. Where old code is what they wait for, what runs now decides; what was asked for
 * by hand may have been done, and is not done a second time by itself.
 */
const releaseMembers = (turn: Turn, host: Host, wave: Wave): void => {
  if (wave.state !== 'open' && wave.state !== 'stopping') return;
  const held = new Set(
    [...turn.fleet.grants.values()].flatMap(({ waveId, container }) =>
      waveId === wave.id && container !== null ? [container] : [],
    ),
  );
  for (const [id, member] of wave.members) {
    const isOurs = turn.fleet.containers.get(id)?.host === host.id;
    const isOpen = member.state === 'restarting' || member.state === 'failed';
    const mayBeDone = wave.byHand && member.state === 'pending';
    if (!isOurs || held.has(id) || !(isOpen || mayBeDone)) continue;
    Object.assign(member, wave.byHand ? forgotten : { state: 'pending', reason: heldNoMore });
    touch(turn, { table: 'waves', key: wave.id });
  }
};

/**
 * A host reports whole. R16: the first time in this life of the store, what it does not hold is over: what it has answered for, and what a former life of its journal had held, which it
 * has been asked about when it began the present one.
 */
export const endForgotten = (turn: Turn, host: Host, report: HostObserved): void => {
  const own = generationOf(turn.fleet, host);
  if (!report.whole || !host.resync || !report.settled || (report.leader?.[0] ?? own) !== own)
    return;
  host.resync = false;
  // Those that were told and forgotten change what waits for a newer one (R27).
  host.transactions = Math.max(host.transactions, report.transactions ?? 0);
  const held = new Set(
    [...report.openGrants, ...report.openUpgrades].map(({ grantId }) => grantId),
  );
  const suspects = new Set(host.suspects.map(({ grantId }) => grantId));
  for (const { id, host: hostId, container, step } of [...turn.fleet.grants.values()]) {
    // The job of one that was never answered for is still brought, and answered.
    if (hostId !== host.id || held.has(id) || (step === null && !suspects.has(id))) continue;
    onFinished(turn, host, {
      ...{ kind: 'restart-finished', grantId: id, outcome: 'void', verification: null, steps: [] },
      reason: heldNoMore,
      container: turn.fleet.containers.get(container ?? '')?.view ?? null,
    });
  }
  for (const wave of turn.fleet.waves.values()) releaseMembers(turn, host, wave);
};
