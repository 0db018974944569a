import { compareRecordNumbers } from '../messages.ts';
import type {
  ContainerView,
  HostObserved,
  HostUpgraded,
  RestartFinished,
  RestartProgress,
  SequencedReport,
  UpgradeFinished,
} from '../messages.ts';
import { containerId } from '../ids.ts';
import { serviceOf } from './service-of.ts';
import type { Container, Grant, Host } from './fleet.ts';
import { answered, endGrant } from './grants.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { joinWave, noticeStale, pauseWave, tell, waveForChanges } from './waves.ts';

/** The largest pause between a refusal and the next grant, in ms. */
const largestBackoffMs = 60_000;

/** Take in what an agent saw of one container; answers the fleet's entry. */
const observe = (
  turn: Turn,
  host: Host,
  view: ContainerView,
  held: ReadonlySet<string> = new Set(),
): Container => {
  const { fleet, now } = turn;
  const id = containerId(host.id, view.name);
  const before = fleet.containers.get(id);
  const { service, problem } = serviceOf(fleet.services.values(), host.id, view);
  // R25: stopped when first seen is parked from the start, unless a grant holds it; one that runs is parked no more.
  const parked =
    view.state === 'stopped' && (before === undefined ? !held.has(view.name) : before.parked);
  const container: Container = {
    id,
    host: host.id,
    service,
    membershipProblem: problem,
    view,
    observedAt: now,
    parked,
    attemptedAt: before?.attemptedAt ?? null,
    lastVerification: before?.lastVerification ?? null,
    lastFailure: before?.lastFailure ?? null,
    refusal:
      before === undefined || before.refusal === null
        ? null
        : { ...before.refusal, seenSince: true },
  };
  fleet.containers.set(id, container);
  if (before?.parked !== parked) turn.renew.add(host.id);
  touch(turn, { table: 'containers', key: id });
  return container;
};

const onObserved = (turn: Turn, host: Host, report: HostObserved): void => {
  const { fleet } = turn;
  host.settingsHashes = report.settingsHashes;
  host.atRest = report.atRest;
  host.atRestReason = report.atRestReason;
  host.rebootRequired = report.rebootRequired;
  host.staleHostProcesses = report.staleHostProcesses;
  host.agentStale = report.agentStale;
  host.platform = report.platform;
  const held = new Set(report.openGrants.map(({ container }) => container));
  const seen = report.containers.map((view) => observe(turn, host, view, held));
  if (report.whole) {
    host.known = true;
    const names = new Set(seen.map(({ id }) => id));
    for (const container of fleet.containers.values()) {
      if (container.host !== host.id || names.has(container.id)) continue;
      fleet.containers.delete(container.id);
      touch(turn, { table: 'containers', key: container.id });
    }
    adoptGrants(turn, host, report);
  }
  for (const container of seen) noticeStale(turn, container);
};

/** R16: grants that only the agent knows, after the store was restored from a backup, are adopted and counted. */
const adoptGrants = (turn: Turn, host: Host, report: HostObserved): void => {
  const { fleet, now } = turn;
  for (const { grantId, container: name, step, failed } of report.openGrants) {
    if (fleet.grants.has(grantId)) continue;
    const container = fleet.containers.get(containerId(host.id, name));
    fleet.grants.set(grantId, {
      id: grantId,
      jobId: '',
      waveId: '',
      kind: 'restart',
      host: host.id,
      container: containerId(host.id, name),
      service: container?.service ?? null,
      expect: null,
      attempt: 1,
      byHand: false,
      onlyIfBroken: false,
      disruptive: false,
      step,
      failed,
      failReason: failed ? 'failed before the store was restored' : null,
      voidAsked: null,
      suspect: false,
      grantedAt: now,
      beginBefore: now,
      deadline: now + fleet.settings.deadlineMs,
      transactions: host.transactions,
      why: 'known to the agent alone: the store was restored from a backup',
    });
    touch(turn, { table: 'grants', key: grantId });
  }
};

const onUpgraded = (turn: Turn, host: Host, report: HostUpgraded): void => {
  host.transactions = report.transaction;
  const seen = report.containers.map((view) => observe(turn, host, view));
  const stale = seen.filter(({ view }) => view.onHostRoot && view.stale.length > 0);
  const waveId = report.origin.by === 'job' ? report.origin.waveId : null;
  if (stale.length === 0) {
    audit(turn, {
      action: 'nothing-stale',
      subject: host.id,
      waveId,
      details: {
        reason: 'no container maps a file of these packages',
        changes: report.changes.map(
          ({ name, from, to }) => `${name} ${from ?? '-'} -> ${to ?? '-'}`,
        ),
      },
    });
    return;
  }
  const wave = waveForChanges(turn, report.changes, waveId);
  for (const container of stale) joinWave(turn, wave, container);
};

const onProgress = (turn: Turn, report: RestartProgress): void => {
  const grant = turn.fleet.grants.get(report.grantId);
  if (grant === undefined) return;
  grant.step = report.step;
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
  if (report.outcome === 'void') {
    Object.assign(upgrade, { state: 'pending', reason: report.reason });
    return;
  }
  Object.assign(upgrade, { state: 'failed', reason: report.reason });
  pauseWave(turn, wave, `upgrade of ${grant.host}: ${report.reason}`);
};

const onFinished = (turn: Turn, host: Host, report: RestartFinished): void => {
  const { fleet, now } = turn;
  const grant = fleet.grants.get(report.grantId);
  if (report.container !== null) observe(turn, host, report.container);
  if (grant === undefined) return;
  if (grant.kind === 'upgrade') return upgradeNotBegun(turn, grant, report);
  const container = grant.container === null ? undefined : fleet.containers.get(grant.container);
  const wave = fleet.waves.get(grant.waveId);
  const member = grant.container === null ? undefined : wave?.members.get(grant.container);
  if (report.outcome === 'failed') {
    grant.failed = true;
    grant.failReason = report.reason;
    grant.step ??= 'stopped';
    if (container !== undefined) container.lastFailure = report.reason;
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
          reason: report.reason,
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
  const newer =
    container !== undefined &&
    (turn.fleet.hosts.get(container.host)?.transactions ?? 0) > grant.transactions;
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
      reason: report.reason,
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

const onUpgradeFinished = (turn: Turn, host: Host, report: UpgradeFinished): void => {
  const grant = turn.fleet.grants.get(report.grantId);
  const wave = turn.fleet.waves.get(report.waveId);
  const upgrade = wave?.upgrades.get(host.id);
  if (grant !== undefined) endGrant(turn, grant, report.ok ? 'done' : 'refused', report.reason);
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
  if (wave === undefined) return;
  touch(turn, { table: 'waves', key: wave.id });
  if (upgrade !== undefined && upgrade.state === 'running')
    Object.assign(upgrade, {
      state: report.ok ? 'done' : 'failed',
      reason: [report.reason, report.remedy].filter((part) => part !== '').join('; '),
    });
  host.gate = report.gate.ok ? null : report.gate.reason;
  touch(turn, { table: 'hosts', key: host.id });
  if (!report.gate.ok)
    pauseWave(turn, wave, `the host gate of ${host.id} did not pass: ${report.gate.reason}`);
  else if (!report.ok) {
    tell(turn, wave, 'failed', `upgrade of ${host.id}: ${report.reason}`);
    pauseWave(turn, wave, `upgrade of ${host.id}: ${report.reason}`);
  }
};

/** R15: a new life of the agent's journal: the grants of the old one are suspect and stand in the record. */
const beginIncarnation = (turn: Turn, host: Host, incarnation: string): void => {
  const { fleet } = turn;
  if (host.incarnation !== null) {
    host.retired.push(host.incarnation);
    host.known = false;
    audit(turn, {
      action: 'host-incarnation',
      subject: host.id,
      details: { incarnation, retired: host.incarnation },
    });
    turn.notices.push({
      kind: 'alert',
      waveId: null,
      text: `${host.id} lost its journal: its grants are asked for again`,
    });
    for (const grant of [...fleet.grants.values()].filter((other) => other.host === host.id)) {
      if (grant.kind === 'upgrade') {
        endGrant(turn, grant, 'gone', 'the journal of the host was lost');
        const upgrade = fleet.waves.get(grant.waveId)?.upgrades.get(host.id);
        if (upgrade !== undefined)
          Object.assign(upgrade, { state: 'failed', reason: 'the journal of the host was lost' });
        touch(turn, { table: 'waves', key: grant.waveId });
      } else if (!host.suspects.some(({ grantId }) => grantId === grant.id)) {
        const name =
          fleet.containers.get(grant.container ?? '')?.view.name ??
          grant.container?.split('/')[1] ??
          '';
        host.suspects.push({ grantId: grant.id, container: name, step: grant.step ?? 'journaled' });
      }
    }
  }
  host.incarnation = incarnation;
  host.ackedSeq = 0;
  host.transactions = 0;
  for (const container of fleet.containers.values())
    if (container.host === host.id && container.attemptedAt !== null) container.attemptedAt = 0;
};

/** R16: an echo above our own number proves that the store was restored from a backup. */
const noticeRestore = (turn: Turn, { echo, host }: SequencedReport): void => {
  const { fleet } = turn;
  const own = fleet.hosts.get(host);
  if (
    own === undefined ||
    compareRecordNumbers(echo, [fleet.generation, fleet.epoch, own.recordN]) <= 0
  )
    return;
  fleet.generation = echo[0] + 1;
  touch(turn, { table: 'meta', key: 'generation' });
  audit(turn, {
    action: 'store-restored',
    subject: host,
    details: { echoed: echo.join('.'), generation: fleet.generation },
  });
  for (const other of fleet.hosts.values()) {
    other.known = false;
    other.issued = [];
    turn.renew.add(other.id);
    touch(turn, { table: 'hosts', key: other.id });
  }
};

/**
 * Apply one report (R8, R9): in order and without gaps for its incarnation; a retired incarnation's is
 * dropped. Answers whether it was applied; a dropped one comes again.
 */
export const applyReport = (turn: Turn, message: SequencedReport): boolean => {
  const { fleet, now } = turn;
  const host = fleet.hosts.get(message.host);
  if (host?.state !== 'enrolled' || host.retired.includes(message.incarnation)) return false;
  if (message.incarnation !== host.incarnation) {
    if (message.seq !== 1) return false;
    beginIncarnation(turn, host, message.incarnation);
  }
  if (message.seq !== host.ackedSeq + 1) {
    if (message.seq <= host.ackedSeq) turn.renew.add(host.id);
    return false;
  }
  noticeRestore(turn, message);
  host.ackedSeq = message.seq;
  // R14: how old the agent's word is, on our own clock: when the record that it echoes was issued.
  if (message.echo[0] === fleet.generation && message.echo[1] === fleet.epoch) {
    const issued = host.issued.find(({ n }) => n === message.echo[2]);
    if (issued !== undefined) {
      host.heardAt = Math.max(host.heardAt ?? 0, Math.min(issued.at, now));
      host.issued = host.issued.filter(({ n }) => n >= message.echo[2]);
    }
  }
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
  const { report } = message;
  switch (report.kind) {
    case 'host-observed':
      onObserved(turn, host, report);
      break;
    case 'host-upgraded':
      onUpgraded(turn, host, report);
      break;
    case 'restart-progress':
      onProgress(turn, report);
      break;
    case 'restart-finished':
      onFinished(turn, host, report);
      break;
    case 'upgrade-finished':
      onUpgradeFinished(turn, host, report);
      break;
    case 'job-refused':
      onRefused(turn, host, report.jobId, report.reason, report.endsGrants);
      break;
    case 'audit-copied':
      break;
  }
  return true;
};

const onRefused = (
  turn: Turn,
  host: Host,
  jobId: string,
  reason: string,
  endsGrants: string[],
): void => {
  audit(turn, {
    action: 'job-refused',
    subject: host.id,
    outcome: 'refused',
    details: { jobId, reason, endsGrants },
  });
  turn.closes.push(jobId);
  for (const id of endsGrants) {
    const grant = turn.fleet.grants.get(id);
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
