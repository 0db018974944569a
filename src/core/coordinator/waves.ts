import type { ContainerId, HostId } from '../ids.ts';
import type { PackageChange } from '../packages.ts';
import type { Container, Fleet, Wave, WaveCause } from './fleet.ts';
import { askVoid } from './grants.ts';
import { observedBecause } from './may-grant.ts';
import { standingDecision } from './standing-decision.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { describeCause } from './wave-cause.ts';

export const openWave = (
  turn: Turn,
  cause: WaveCause,
  byHand: boolean,
  approvedBy: string | null,
): Wave => {
  const wave: Wave = {
    id: turn.newId(),
    cause,
    createdAt: turn.now,
    endedAt: null,
    wall: { createdMs: turn.wall.ms, startedMs: null, endedMs: null },
    approvedBy,
    state: 'open',
    pausedBy: null,
    stage: byHand ? 'rest' : 'canary',
    goodCanaries: 0,
    failures: 0,
    maxFailures: turn.fleet.settings.maxFailures,
    byHand,
    members: new Map(),
    upgrades: new Map(),
    outagesAllowed: [],
    told: [],
  };
  turn.fleet.waves.set(wave.id, wave);
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'wave-opened',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    actor: approvedBy ?? 'groundswell',
    details: { cause: describeCause(cause) },
  });
  return wave;
};

/** Tell an operator, once per wave and `key`. */
export const tell = (
  turn: Turn,
  wave: Wave,
  kind: 'needs-approval' | 'paused' | 'failed' | 'ended' | 'alert',
  text: string,
  what = text,
): void => {
  const key = `${kind}:${what}`;
  if (wave.told.includes(key)) return;
  wave.told.push(key);
  turn.notices.push({ kind, waveId: wave.id, text });
  touch(turn, { table: 'waves', key: wave.id });
};

export const joinWave = (turn: Turn, wave: Wave, container: Container): void => {
  const member = wave.members.get(container.id);
  if (
    member !== undefined &&
    (member.state === 'restarting' || member.state === 'pending' || member.state === 'failed')
  )
    return;
  wave.members.set(container.id, { state: 'pending', attempts: member?.attempts ?? 0, reason: '' });
  touch(turn, { table: 'waves', key: wave.id });
};

const versionsOf = (changes: PackageChange[]): { source: string; to: string }[] => {
  const seen = new Map<string, { source: string; to: string }>();
  for (const { source, to } of changes)
    if (to !== null) seen.set(`${source} ${to}`, { source, to });
  return [...seen.values()];
};

/** Add to a cause's changes those that it does not have yet. */
export const noteChanges = (known: PackageChange[], more: readonly PackageChange[]): void => {
  const isKnown = (change: PackageChange): boolean =>
    known.some(
      ({ name, arch, to }) => name === change.name && arch === change.arch && to === change.to,
    );
  known.push(...more.filter((change) => !isKnown(change)));
};

/** The same of its packages. */
export const notePackages = (
  known: { source: string; to: string }[],
  more: readonly { source: string; to: string }[],
): void => {
  for (const { source, to } of more)
    if (!known.some((one) => one.source === source && one.to === to)) known.push({ source, to });
};

/** Whether a wave brings some of these changes, so that one of others on a host belongs to it. */
const bringsSome = (
  { cause, approvedBy, upgrades }: Wave,
  hostId: HostId,
  changes: readonly PackageChange[],
): boolean => {
  // Others may have upgraded more than a person approved, or other hosts.
  if (cause.kind === 'upgrade')
    return (
      approvedBy === null &&
      cause.packages.some(({ source, to }) =>
        changes.some((other) => other.source === source && other.to === to),
      )
    );
  if (cause.kind !== 'advisories') return false;
  const isOfIt = (change: PackageChange): boolean =>
    cause.packages.some(
      ({ source, arch, to }) => change.name === source && change.arch === arch && change.to === to,
    );
  return approvedBy === null ? changes.some(isOfIt) : upgrades.has(hostId) && changes.every(isOfIt);
};

/** R34: the open wave with the same (source, version), else a new one. */
export const waveForChanges = (
  turn: Turn,
  hostId: HostId,
  changes: PackageChange[],
  waveId: string | null,
): Wave => {
  const packages = versionsOf(changes);
  const named = waveId === null ? undefined : turn.fleet.waves.get(waveId);
  // A host has a part in no wave that does not name it.
  const own = named?.upgrades.has(hostId) === true ? named : undefined;
  const same = [...turn.fleet.waves.values()].find(
    (one) => one.state === 'open' && bringsSome(one, hostId, changes),
  );
  const wave = own?.state === 'open' ? own : same;
  if (wave === undefined)
    return openWave(
      turn,
      { kind: 'upgrade', packages, changes, by: waveId === null ? 'outside' : 'groundswell' },
      false,
      null,
    );
  const { cause } = wave;
  if (cause.kind === 'upgrade') notePackages(cause.packages, packages);
  if ('changes' in cause) noteChanges(cause.changes, changes);
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'wave-joined',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { changes: packages.map(({ source, to }) => `${source} ${to}`) },
  });
  return wave;
};

const waitsInSome = (fleet: Fleet, id: ContainerId): boolean =>
  [...fleet.waves.values()].some(({ state, members }) => {
    const member = members.get(id)?.state;
    return (
      state === 'open' && (member === 'pending' || member === 'restarting' || member === 'failed')
    );
  });

/**
 * Whether a container runs old code that nothing is done or decided about. One that is opted out or only observed is left
 * alone until that ends; one against whose wave a person has decided, or whose restart was in vain, until packages change
 * again.
 */
export const runsOldCodeUnasked = ({ fleet }: Turn, container: Container): boolean => {
  const { id, view, attemptedAt } = container;
  const transactions = fleet.hosts.get(container.host)?.transactions ?? 0;
  return (
    view.onHostRoot &&
    view.stale.length > 0 &&
    view.optOut === null &&
    observedBecause(fleet, container) === null &&
    !waitsInSome(fleet, id) &&
    standingDecision(fleet, container) === null &&
    (attemptedAt === null || transactions > attemptedAt) &&
    ![...fleet.grants.values()].some((grant) => grant.container === id)
  );
};

/** R34: stale without a known upgrade; one wave, which always waits for approval, and is never joined after that. */
export const joinFoundStale = (turn: Turn, container: Container): void => {
  const open = [...turn.fleet.waves.values()].find(
    ({ state, cause, approvedBy }) =>
      state === 'open' && cause.kind === 'found-stale' && approvedBy === null,
  );
  joinWave(turn, open ?? openWave(turn, { kind: 'found-stale' }, false, null), container);
};

/** R32: pause with name and reason, and take back what has not begun. */
export const pauseWave = (turn: Turn, wave: Wave, reason: string): void => {
  if (wave.pausedBy !== null) return;
  wave.pausedBy = reason;
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'wave-paused',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { reason },
  });
  tell(turn, wave, 'paused', `wave ${wave.id} is paused: ${reason}`);
  for (const grant of turn.fleet.grants.values())
    if (grant.waveId === wave.id && grant.expect?.kind !== 'retry')
      askVoid(turn, grant, 'the wave is paused');
};

/** R29: an upgrade came to nothing: its wave says so, and pauses before it goes on to the next host. */
export const failUpgrade = (
  turn: Turn,
  wave: Wave | undefined,
  hostId: HostId,
  reason: string,
): void => {
  const upgrade = wave?.upgrades.get(hostId);
  if (wave === undefined || upgrade === undefined) return;
  Object.assign(upgrade, { state: 'failed', reason });
  touch(turn, { table: 'waves', key: wave.id });
  tell(turn, wave, 'failed', `upgrade of ${hostId}: ${reason}`);
  pauseWave(turn, wave, `upgrade of ${hostId}: ${reason}`);
};
