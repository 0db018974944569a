import { containerId } from '../ids.ts';
import { reached } from '../messages.ts';
import type { RestartFinished, RestartProgress, UpgradeFinished } from '../messages.ts';
import { describeOwnFiles } from '../own-files.ts';
import type { Container, Grant, Host, Wave } from './fleet.ts';
import { gateText } from './gate-text.ts';
import { answered, endGrant } from './grants.ts';
import { noteGate } from './host-gate.ts';
import { forgetRefusals, mirrorMoved } from './mirror-moved.ts';
import { noteProved } from './proved.ts';
import { observe } from './take-observation.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { triesAgain } from './try-upgrade-again.ts';
import { failUpgrade, pauseWave, tell } from './waves.ts';

/** The largest pause between a refusal and the next grant, in ms. */
const largestBackoffMs = 60_000;

/** R20: a grant ends, and goes on, by the word of its own agent alone. */
const heldBy = ({ fleet }: Turn, host: Host, grantId: string): Grant | undefined => {
  const grant = fleet.grants.get(grantId);
  return grant?.host === host.id ? grant : undefined;
};

/** The outbox's name of a job that an agent speaks of: its host's, whatever it says (R2). */
export const jobOf = ({ id }: Host, jobId: string): string =>
  jobId.startsWith(`${id}_`) ? jobId : `${id}_${jobId}`;

export const onProgress = (turn: Turn, host: Host, report: RestartProgress): void => {
  const grant = heldBy(turn, host, report.grantId);
  if (grant === undefined) return;
  grant.step = report.step;
  // It goes on: whatever it waited for is over.
  grant.waiting = null;
  answered(turn, grant);
  touch(turn, { table: 'grants', key: grant.id });
};

/** R32: counted per attempt; the wave pauses and names container and reason. */
const countFailure = (turn: Turn, grant: Grant, reason: string): void => {
  const wave = turn.fleet.waves.get(grant.waveId);
  if (wave === undefined) return;
  wave.failures += 1;
  touch(turn, { table: 'waves', key: wave.id });
  tell(turn, wave, 'failed', `${grant.container ?? grant.host}: ${reason}`);
  if (wave.failures > wave.maxFailures)
    pauseWave(turn, wave, `${grant.container ?? grant.host}: ${reason}`);
};

/** R29: an upgrade that was taken back is ordered anew; one that the agent refuses pauses its wave. */
const upgradeNotBegun = (turn: Turn, grant: Grant, report: RestartFinished): void => {
  if (report.outcome === 'failed') return;
  endGrant(turn, grant, report.outcome, report.reason);
  const wave = turn.fleet.waves.get(grant.waveId);
  const upgrade = wave?.upgrades.get(grant.host);
  if (wave === undefined || upgrade === undefined || upgrade.state !== 'running') return;
  touch(turn, { table: 'waves', key: wave.id });
  // Asked back before it could begin: refused as expired is the same answer.
  if (report.outcome === 'void' || grant.voidAsked !== null) {
    Object.assign(upgrade, { state: 'pending', reason: report.reason });
    return;
  }
  failUpgrade(turn, wave, grant.host, report.reason);
};

/** R16: the end of a grant that a restored store has forgotten: what it was for is done, and not done again. */
const endUnknown = (
  turn: Turn,
  host: Host,
  { of, outcome, verification, reason }: RestartFinished,
): void => {
  if (of === undefined || outcome !== 'done' || !host.resync) return;
  const wave = turn.fleet.waves.get(of.waveId);
  const member = wave?.members.get(containerId(host.id, of.container));
  const waits = member?.state === 'pending' || member?.state === 'restarting';
  // Where old code is what it waits for, what runs now decides.
  if (wave?.byHand !== true || member === undefined || !waits) return;
  Object.assign(member, { state: verification ?? 'unknown', reason });
  touch(turn, { table: 'waves', key: of.waveId });
};

export const onFinished = (turn: Turn, host: Host, report: RestartFinished): void => {
  const { fleet, now } = turn;
  const grant = heldBy(turn, host, report.grantId);
  if (report.container !== null) {
    // R25: one that failed is down by our doing, also where the store does not know its grant (R16).
    const held = report.outcome === 'failed' ? [report.container.name] : [];
    observe(turn, host, report.container, new Set(held));
  }
  if (grant === undefined) return endUnknown(turn, host, report);
  if (grant.kind === 'upgrade') return upgradeNotBegun(turn, grant, report);
  const container = grant.container === null ? undefined : fleet.containers.get(grant.container);
  const wave = fleet.waves.get(grant.waveId);
  const member = grant.container === null ? undefined : wave?.members.get(grant.container);
  if (report.outcome === 'failed') {
    grant.failed = true;
    grant.failReason = report.reason;
    grant.step ??= 'stopped';
    if (container !== undefined) {
      container.lastFailure = report.reason;
      touch(turn, { table: 'containers', key: container.id });
    }
    if (member !== undefined) Object.assign(member, { state: 'failed', reason: report.reason });
    audit(turn, {
      action: 'grant-failed',
      subject: grant.container ?? host.id,
      waveId: grant.waveId,
      grantId: grant.id,
      outcome: 'failed',
      details: { reason: report.reason },
    });
    answered(turn, grant);
    touch(turn, { table: 'grants', key: grant.id });
    countFailure(turn, grant, report.reason);
    return;
  }
  endGrant(turn, grant, report.outcome, report.reason);
  // R10: an end that does not say what became of the container leaves it unknown until it is observed.
  if (container !== undefined && report.container === null && report.outcome !== 'retried')
    container.view = {
      ...container.view,
      health: 'unknown',
      healthReason: 'its restart is over, and it was not observed since',
    };
  if (container !== undefined) touch(turn, { table: 'containers', key: container.id });
  if (wave !== undefined) touch(turn, { table: 'waves', key: wave.id });
  // R26: the failed grant that a retry names stays open when the retry comes to nothing.
  const stillFailed = [...fleet.grants.values()].some(
    (other) => other.container === grant.container && other.failed,
  );
  switch (report.outcome) {
    case 'done':
      onDone(turn, grant, report, container);
      return;
    case 'refused':
      if (container !== undefined) {
        const count = (container.refusal?.count ?? 0) + 1;
        container.refusal = {
          until:
            now + Math.min(fleet.settings.refusalBackoffMs * 2 ** (count - 1), largestBackoffMs),
          count,
          reason: report.reason,
          seenSince: false,
        };
      }
      if (member !== undefined)
        Object.assign(member, { state: stillFailed ? 'failed' : 'pending', reason: report.reason });
      return;
    case 'void':
      if (member !== undefined)
        Object.assign(member, {
          state: stillFailed ? 'failed' : grant.failed ? 'unknown' : 'pending',
          // Asked for before its stop, its agent knows no reason of its own; after that it has one (R30).
          reason:
            grant.voidAsked === null || reached(grant.step ?? 'journaled', 'stopping')
              ? report.reason
              : `taken back: ${grant.voidAsked}`,
        });
      return;
    case 'gone':
      if (member !== undefined) Object.assign(member, { state: 'gone', reason: report.reason });
      return;
    case 'retried':
      return;
  }
};

const onDone = (
  turn: Turn,
  grant: Grant,
  report: RestartFinished,
  container: Container | undefined,
): void => {
  const wave = turn.fleet.waves.get(grant.waveId);
  const member = grant.container === null ? undefined : wave?.members.get(grant.container);
  const verification = report.verification ?? 'unknown';
  const host = turn.fleet.hosts.get(grant.host);
  // R16: of a store that was restored, nobody knows how many transactions it has forgotten.
  const newer = host !== undefined && (host.resync || host.transactions > grant.transactions);
  if (container !== undefined) {
    container.lastVerification = verification;
    container.refusal = null;
    container.lastFailure = null;
    // R27: what did not verify waits for a newer transaction than the one it was granted for.
    container.attemptedAt = verification === 'verified' ? null : grant.transactions;
  }
  if (member !== undefined)
    Object.assign(member, {
      state: verification === 'stale' && newer ? 'pending' : verification,
      reason:
        (verification === 'shadowed' ? describeOwnFiles(container?.view.shadowed ?? []) : null) ??
        report.reason,
    });
  if (wave === undefined) return;
  if (verification === 'stale' && !newer)
    countFailure(turn, grant, 'it still runs old code after its restart');
  else if (verification === 'verified' || verification === 'shadowed') wave.goodCanaries += 1;
  else if (verification === 'unknown')
    pauseWave(
      turn,
      wave,
      `${grant.container ?? ''}: whether it runs the present code cannot be read`,
    );
};

export const onUpgradeFinished = (turn: Turn, host: Host, report: UpgradeFinished): void => {
  const grant = heldBy(turn, host, report.grantId);
  const wave = turn.fleet.waves.get(report.waveId);
  if (grant !== undefined) endGrant(turn, grant, report.ok ? 'done' : 'refused', report.reason);
  const state = wave?.upgrades.get(host.id)?.state;
  // What is told again (R5) and changes nothing is not recorded again: Redis could have it told without end.
  const isNew = grant !== undefined || state === 'running' || state === 'pending';
  if (isNew)
    audit(turn, {
      action: 'upgrade-ended',
      subject: host.id,
      waveId: report.waveId,
      grantId: report.grantId,
      outcome: report.ok ? 'done' : 'failed',
      details: {
        reason: report.reason,
        remedy: report.remedy,
        transcript: report.transcript,
        gate: report.gate.reason,
      },
    });
  noteGate(turn, host, report.gate);
  if (wave !== undefined) upgradeOver(turn, host, wave, report, { wasHeld: grant !== undefined });
};

const upgradeOver = (
  turn: Turn,
  host: Host,
  wave: Wave,
  report: UpgradeFinished,
  { wasHeld }: { wasHeld: boolean },
): void => {
  const upgrade = wave.upgrades.get(host.id);
  // A host has a part in no wave that does not name it.
  if (upgrade === undefined) return;
  touch(turn, { table: 'waves', key: wave.id });
  const reason = [report.reason, report.remedy].filter((part) => part !== '').join('; ');
  // R16: one that was done, and told, in the time that a restored store has forgotten.
  const wasForgotten = !wasHeld && upgrade.state === 'pending' && host.resync;
  const wasRunning = upgrade.state === 'running' || (wasForgotten && report.ok);
  if (wasRunning && report.ok) {
    Object.assign(upgrade, { state: 'done', reason });
    // Whether it was just what is ordered now is not known.
    if (!wasForgotten) noteProved(wave, upgrade, report.changes);
    forgetRefusals(turn, host, wave, upgrade);
  }
  // Also where the gate of a former transaction had not passed, and a person had resumed the wave.
  const gate = gateText(host);
  if (gate !== null) pauseWave(turn, wave, gate);
  if (!wasRunning || report.ok) return;
  if (report.code === 'unknown-version' && mirrorMoved(turn, wave, host, { ...report, reason }))
    return;
  if (gate === null && triesAgain(turn, wave, host.id, { ...report, reason })) return;
  failUpgrade(turn, wave, host.id, reason);
};

export const onRefused = (
  turn: Turn,
  host: Host,
  jobId: string,
  reason: string,
  endsGrants: string[],
): void => {
  // As above: the first time ends what it names, or names nothing.
  const isNew = endsGrants.length === 0 || endsGrants.some((id) => heldBy(turn, host, id));
  if (isNew)
    audit(turn, {
      action: 'job-refused',
      subject: host.id,
      outcome: 'refused',
      details: { jobId, reason, endsGrants },
    });
  turn.closes.push(jobOf(host, jobId));
  for (const id of endsGrants) {
    const grant = heldBy(turn, host, id);
    // A grant of a former incarnation is ended by the answer to its being suspect, not by this (R15).
    if (grant === undefined || host.suspects.some(({ grantId }) => grantId === id)) continue;
    onFinished(turn, host, {
      kind: 'restart-finished',
      grantId: id,
      outcome: 'refused',
      verification: null,
      reason,
      steps: [],
      container: null,
    });
  }
};
