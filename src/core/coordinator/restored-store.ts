import { containerId } from '../ids.ts';
import { compareRecordNumbers } from '../messages.ts';
import type { HostObserved, RecordNumber, SequencedReport } from '../messages.ts';
import { onFinished } from './end-of-grant.ts';
import type { Fleet, Host, Wave } from './fleet.ts';
import { newGrant } from './new-grant.ts';
import { pause } from './operator-holds.ts';
import { storeRestoredText } from './standing-alerts.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** No honest record is so far ahead: what a broken host says shall not lead to numbers that nobody can count on from. */
const largestLeap = 1_000;
const largestNumber = 2 ** 40;

/** Whether a host has heard a record that this store has not issued. */
const isAhead = ({ generation, epoch }: Fleet, { recordN }: Host, echo: RecordNumber): boolean =>
  echo[0] - generation <= largestLeap &&
  Math.max(...echo) < largestNumber &&
  compareRecordNumbers(echo, [generation, epoch, recordN]) > 0;

/** A new life of the store: nothing that it says of any host counts before that has told. */
const beginGeneration = (turn: Turn, host: Host, { echo, acked }: SequencedReport): void => {
  const { fleet } = turn;
  const own = { echo: [fleet.generation, fleet.epoch, host.recordN], ackedSeq: host.ackedSeq };
  fleet.generation =
    Math.max(fleet.generation, Math.min(echo[0], fleet.generation + largestLeap)) + 1;
  touch(turn, { table: 'meta', key: 'generation' });
  audit(turn, {
    action: 'store-restored',
    subject: host.id,
    details: {
      generation: fleet.generation,
      echoed: echo.join('.'),
      own: own.echo.join('.'),
      acknowledged: acked,
      applied: own.ackedSeq,
    },
  });
  turn.notices.push({ kind: 'alert', waveId: null, text: storeRestoredText });
  for (const other of fleet.hosts.values()) {
    Object.assign(other, { known: false, resync: true, copiesMissing: true });
    Object.assign(other, { greeted: false, issued: [] });
    turn.renew.add(other.id);
    touch(turn, { table: 'hosts', key: other.id });
  }
  pause(turn, 'groundswell', { level: 'fleet' }, storeRestoredText);
};

/**
 * R16: a host that has heard a record which this store has not issued, or to which more was acknowledged than it has
 * applied, proves that the store was restored from a backup. What was acknowledged is gone for good, so the host's
 * reports are taken up after it. `isKnown`: this store has heard the host before; one that was removed and added
 * again proves nothing.
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
  const ahead = isAhead(fleet, host, echo);
  const isSameLeader = echo[0] === fleet.generation && echo[1] === fleet.epoch;
  if (ahead && !isKnown && isSameLeader) host.recordN = echo[2];
  else if (ahead || (isForgotten && isKnown && !host.resync)) beginGeneration(turn, host, message);
  if (!isForgotten) return;
  host.ackedSeq = acked;
  host.copiesMissing = true;
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
};

/** What only its agent knows of is open and counted from here on. */
const adopt = (turn: Turn, host: Host, report: HostObserved): void => {
  const { fleet, now } = turn;
  const common = {
    ...{ host: host.id, attempt: 1, byHand: false, onlyIfBroken: false, expect: null },
    ...{ grantedAt: now, beginBefore: now, deadline: now + fleet.settings.deadlineMs },
    // For how many it was given is forgotten: old code after it is no failed attempt (R27).
    transactions: -1,
    why: 'known to the agent alone: the store was restored from a backup',
  };
  for (const { grantId, waveId, container: name, step, failed } of report.openGrants) {
    if (fleet.grants.has(grantId)) continue;
    const id = containerId(host.id, name);
    const service = fleet.containers.get(id)?.service ?? null;
    const grant = newGrant({
      ...common,
      ...{ id: grantId, jobId: '', waveId, kind: 'restart', container: id, service },
      disruptive: false,
    });
    const failReason = failed ? 'failed before the store was restored' : null;
    fleet.grants.set(grantId, { ...grant, step, failed, failReason });
    touch(turn, { table: 'grants', key: grantId });
    const member = fleet.waves.get(waveId)?.members.get(id);
    if (member?.state !== 'pending') continue;
    Object.assign(member, { state: failed ? 'failed' : 'restarting', reason: common.why });
    touch(turn, { table: 'waves', key: waveId });
  }
  for (const { grantId, waveId, jobId, services } of report.openUpgrades) {
    if (fleet.grants.has(grantId)) continue;
    const grant = newGrant({
      ...common,
      ...{ id: grantId, jobId, waveId, kind: 'upgrade', container: null, service: null },
      disruptive: services.length > 0,
    });
    fleet.grants.set(grantId, { ...grant, step: 'journaled' });
    touch(turn, { table: 'grants', key: grantId });
    const upgrade = fleet.waves.get(waveId)?.upgrades.get(host.id);
    if (upgrade?.state !== 'pending') continue;
    Object.assign(upgrade, { state: 'running', reason: common.why });
    touch(turn, { table: 'waves', key: waveId });
  }
};

const heldNoMore =
  'its agent does not hold it: it was never begun, or ended after the backup that the store was restored from';

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
    const isAgain = wave.byHand && member.state === 'pending' && member.attempts > 0;
    if (!isOurs || held.has(id) || !(isOpen || isAgain)) continue;
    Object.assign(member, { state: wave.byHand ? 'unknown' : 'pending', reason: heldNoMore });
    touch(turn, { table: 'waves', key: wave.id });
  }
};

/**
 * A host reports whole. R16: what it holds and the store does not know is adopted. The first time in this life of the
 * store, what it does not hold is over: what it has answered for, and what a former life of its journal had held, which it
 * has been asked about when it began the present one.
 */
export const endForgotten = (turn: Turn, host: Host, report: HostObserved): void => {
  if (!report.whole) return;
  adopt(turn, host, report);
  if (!host.resync || !report.settled || report.leader[0] !== turn.fleet.generation) return;
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
