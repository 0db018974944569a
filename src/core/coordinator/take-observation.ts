import type { ContainerView, HostObserved, HostUpgraded } from '../messages.ts';
import { containerId } from '../ids.ts';
import { isAnotherContainer } from '../observation.ts';
import { shadowingFiles } from '../own-files.ts';
import { diedAlert, isDead } from './died.ts';
import { serviceOf } from './service-of.ts';
import { generationOf } from './fleet.ts';
import type { Container, Host } from './fleet.ts';
import { noteGate } from './host-gate.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { takeUpAgain } from './take-up-again.ts';
import { joinFoundStale, joinWave, runsOldCodeUnasked, waveForChanges } from './waves.ts';

/**
 * R25: stopped when first seen is parked from the start, unless a grant holds it; later an operator says so,
 * here or by a note on the host, and takes it back in the same place.
 */
const isParked = (
  view: ContainerView,
  before: Container | undefined,
  held: ReadonlySet<string>,
): boolean => {
  if (view.parked !== null) return true;
  if (before === undefined) return !held.has(view.name);
  return before.parked && before.view.parked === null;
};

/** What is remembered of a container for as long as it may run old code. */
const oldCodeOf = (
  { state, stale, unreadable }: ContainerView,
  before: Container | undefined,
): Pick<Container, 'decided' | 'optedOutOf'> =>
  before === undefined || (state === 'running' && stale.length + unreadable.length === 0)
    ? { decided: null, optedOutOf: [] }
    : { decided: before.decided, optedOutOf: before.optedOutOf };

/** Take in what an agent saw of one container; answers the fleet's entry. */
export const observe = (
  turn: Turn,
  host: Host,
  view: ContainerView,
  held: ReadonlySet<string> = new Set(),
): Container => {
  const { fleet, now } = turn;
  const id = containerId(host.id, view.name);
  const known = fleet.containers.get(id);
  // R18: what was known of one that is gone says nothing of the one that has its name now.
  const before = isAnotherContainer(known?.view.identity, view.identity) ? undefined : known;
  const { service, problem } = serviceOf(fleet.services.values(), host.id, view);
  const parked = view.state === 'stopped' && isParked(view, before, held);
  const container: Container = {
    id,
    host: host.id,
    service,
    membershipProblem: problem,
    view,
    observedAt: now,
    parked,
    attemptedAt: before?.attemptedAt ?? null,
    ...oldCodeOf(view, before),
    lastVerification: before?.lastVerification ?? null,
    lastFailure: before?.lastFailure ?? null,
    refusal:
      before === undefined || before.refusal === null
        ? null
        : { ...before.refusal, seenSince: true },
  };
  fleet.containers.set(id, container);
  if (isDead(container) && before?.view.died !== true)
    turn.notices.push({ kind: 'alert', waveId: null, text: diedAlert(fleet, container) });
  if (known?.parked !== parked) turn.renew.add(host.id);
  touch(turn, { table: 'containers', key: id });
  return container;
};

export const onObserved = (turn: Turn, host: Host, report: HostObserved): void => {
  const { fleet } = turn;
  host.settingsHashes = report.settingsHashes;
  host.atRest = report.atRest;
  host.atRestReason = report.atRestReason;
  host.rebootRequired = report.rebootRequired;
  host.staleHostProcesses = report.staleHostProcesses;
  host.agentStale = report.agentStale;
  host.problems = report.problems;
  host.platform = report.platform;
  const held = new Set(report.openGrants.map(({ container }) => container));
  const seen = report.containers.map((view) => observe(turn, host, view, held));
  hearWaits(turn, host, report);
  // R16: all that it held when it heard of this leader was told before.
  const own = generationOf(fleet, host);
  const [generation, epoch] = report.leader ?? [own, fleet.epoch];
  if (generation === own && epoch === fleet.epoch) host.greeted = true;
  if (report.whole) {
    // R16: one that was made before this life of the store was heard of may not name all that is open.
    host.known = generation === own;
    if (host.observeJob !== null) turn.closes.push(host.observeJob);
    host.observeJob = null;
    const names = new Set(seen.map(({ id }) => id));
    for (const container of fleet.containers.values()) {
      if (container.host !== host.id || names.has(container.id)) continue;
      fleet.containers.delete(container.id);
      touch(turn, { table: 'containers', key: container.id });
    }
  }
  // R30: while packages change, noticed by its agent or not, the transaction is yet to be told.
  if (report.atRest) for (const container of seen) findStale(turn, container);
  noteGate(turn, host, report.gate);
};

/** What runs old code and waits in no wave: in those that had left it out, or as found stale (R34). */
const findStale = (turn: Turn, container: Container): void => {
  if (runsOldCodeUnasked(turn, container) && !takeUpAgain(turn, container))
    joinFoundStale(turn, container);
};

/** L4: what each grant of the host waits for, by its agent's newest word on all of them. */
const hearWaits = (turn: Turn, host: Host, { waits }: HostObserved): void => {
  for (const grant of turn.fleet.grants.values()) {
    if (grant.host !== host.id) continue;
    const reason = waits.find(({ grantId }) => grantId === grant.id)?.reason ?? null;
    if (reason === grant.waiting) continue;
    grant.waiting = reason;
    touch(turn, { table: 'grants', key: grant.id });
  }
};

export const onUpgraded = (turn: Turn, host: Host, report: HostUpgraded): void => {
  host.transactions = report.transaction;
  const seen = report.containers.map((view) => observe(turn, host, view));
  const patched = report.changes.map(({ name }) => name);
  // R27: what keeps its own copy of a patched file leaves the wave again at once, named and not restarted.
  const concerned = seen.filter(
    ({ view }) =>
      view.onHostRoot &&
      (view.stale.length > 0 || shadowingFiles(view.shadowed, patched).length > 0),
  );
  const waveId = report.origin.by === 'job' ? report.origin.waveId : null;
  if (concerned.length === 0) {
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
  } else {
    const wave = waveForChanges(turn, host.id, report.changes, waveId);
    for (const container of concerned) joinWave(turn, wave, container);
  }
  noteGate(turn, host, report.gate);
};
