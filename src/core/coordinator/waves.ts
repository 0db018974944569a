import type { ContainerId } from '../ids.ts';
import { describeOptOut } from '../opt-out.ts';
import type { PackageChange } from '../packages.ts';
import type { Container, Wave, WaveCause } from './fleet.ts';
import { askVoid } from './grants.ts';
import { modeFor } from './may-grant.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** What a wave is for, in a few words. */
export const describeCause = (cause: WaveCause): string => {
  switch (cause.kind) {
    case 'upgrade':
      return cause.packages.length === 0
        ? 'upgrade'
        : cause.packages
            .map(({ source, to }) => (to === '' ? source : `${source} ${to}`))
            .join(', ');
    case 'found-stale':
      return 'containers found stale without a known upgrade';
    case 'by-hand':
      return `${cause.what}, asked for by ${cause.actor}`;
  }
};

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

/** Tell an operator once per kind and wave. */
export const tell = (
  turn: Turn,
  wave: Wave,
  kind: 'needs-approval' | 'paused' | 'failed' | 'ended',
  text: string,
): void => {
  const key = `${kind}:${text}`;
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

/** R34: the open wave with the same (source, version), else a new one. */
export const waveForChanges = (
  turn: Turn,
  changes: PackageChange[],
  waveId: string | null,
): Wave => {
  const packages = versionsOf(changes);
  const own = waveId === null ? undefined : turn.fleet.waves.get(waveId);
  const same = [...turn.fleet.waves.values()].find(
    ({ state, cause }) =>
      state === 'open' &&
      cause.kind === 'upgrade' &&
      cause.packages.some(({ source, to }) =>
        packages.some((other) => other.source === source && other.to === to),
      ),
  );
  const wave = own?.state === 'open' ? own : same;
  if (wave === undefined)
    return openWave(
      turn,
      { kind: 'upgrade', packages, changes, by: waveId === null ? 'outside' : 'groundswell' },
      false,
      null,
    );
  if (wave.cause.kind === 'upgrade') {
    for (const found of packages)
      if (!wave.cause.packages.some(({ source, to }) => source === found.source && to === found.to))
        wave.cause.packages.push(found);
    wave.cause.changes.push(
      ...changes.filter(
        (change) =>
          wave.cause.kind === 'upgrade' &&
          !wave.cause.changes.some(
            ({ name, arch, to }) =>
              name === change.name && arch === change.arch && to === change.to,
          ),
      ),
    );
  }
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'wave-joined',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { changes: packages.map(({ source, to }) => `${source} ${to}`) },
  });
  return wave;
};

const waitsInSome = (turn: Turn, id: ContainerId): boolean =>
  [...turn.fleet.waves.values()].some(({ state, members }) => {
    const member = members.get(id)?.state;
    return (
      state === 'open' && (member === 'pending' || member === 'restarting' || member === 'failed')
    );
  });

/**
 * R34: stale without a known upgrade; one wave, which always waits for approval. One that is opted out is
 * left alone until that ends, and is found then.
 */
export const noticeStale = (turn: Turn, container: Container): void => {
  const host = turn.fleet.hosts.get(container.host);
  if (
    !container.view.onHostRoot ||
    container.view.stale.length === 0 ||
    container.view.optOut !== null ||
    waitsInSome(turn, container.id)
  )
    return;
  if (container.attemptedAt !== null && (host?.transactions ?? 0) <= container.attemptedAt) return;
  if ([...turn.fleet.grants.values()].some((grant) => grant.container === container.id)) return;
  const open = [...turn.fleet.waves.values()].find(
    ({ state, cause }) => state === 'open' && cause.kind === 'found-stale',
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

/** What the newest observation says about a member that waits (R34: a restart by hand is not done again). */
export const settleMember = (turn: Turn, wave: Wave, id: ContainerId): void => {
  const member = wave.members.get(id);
  if (member?.state !== 'pending') return;
  const container = turn.fleet.containers.get(id);
  const settle = (state: 'gone' | 'not-needed', reason: string): void => {
    member.state = state;
    member.reason = reason;
    touch(turn, { table: 'waves', key: wave.id });
  };
  if (container === undefined) return settle('gone', 'removed');
  const { view } = container;
  if (view.optOut !== null) return settle('not-needed', describeOptOut(view.optOut));
  if (container.parked || view.ownerStopped)
    return settle('not-needed', 'stopped: it starts with the present code');
  if (wave.byHand) return;
  // On its way up or down, or with a runtime that does not answer, it was not looked into at all.
  if (view.state !== 'changing' && view.stale.length === 0 && view.unreadable.length === 0)
    return settle('not-needed', 'nothing stale runs in it');
  if (
    container.attemptedAt !== null &&
    (turn.fleet.hosts.get(container.host)?.transactions ?? 0) <= container.attemptedAt &&
    container.lastVerification === 'shadowed'
  )
    settle('not-needed', 'shadowed: its owner must mend it');
};

const ended = (turn: Turn, wave: Wave): boolean => {
  const grants = [...turn.fleet.grants.values()].filter((grant) => grant.waveId === wave.id);
  if (wave.state === 'stopping') return grants.every(({ failed }) => failed);
  const waits = [...wave.members.values()].some(
    ({ state }) => state === 'pending' || state === 'restarting' || state === 'failed',
  );
  const upgrades = [...wave.upgrades.values()].some(
    ({ state }) => state === 'pending' || state === 'running',
  );
  return grants.length === 0 && !waits && !upgrades;
};

/** Open gates, ask for approval and end waves, from what is true now. */
export const reviewWaves = (turn: Turn): void => {
  const { fleet } = turn;
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open' && wave.state !== 'stopping') continue;
    for (const id of wave.members.keys()) settleMember(turn, wave, id);
    if (wave.stage === 'canary' && wave.goodCanaries >= fleet.settings.canaries) {
      wave.stage = 'rest';
      touch(turn, { table: 'waves', key: wave.id });
    }
    if (ended(turn, wave)) {
      wave.state = wave.state === 'stopping' ? 'stopped' : 'finished';
      wave.endedAt = turn.now;
      touch(turn, { table: 'waves', key: wave.id });
      const counts = new Map<string, number>();
      for (const { state } of wave.members.values())
        counts.set(state, (counts.get(state) ?? 0) + 1);
      const summary =
        [...counts].map(([state, n]) => `${n} ${state}`).join(', ') || 'no containers';
      audit(turn, {
        action: 'wave-finished',
        subject: `wave ${wave.id}`,
        waveId: wave.id,
        outcome: wave.state,
        details: { summary },
      });
      tell(
        turn,
        wave,
        'ended',
        `wave ${wave.id} (${describeCause(wave.cause)}) is ${wave.state}: ${summary}`,
      );
      continue;
    }
    const asks = [...wave.members].some(([id, { state }]) => {
      const container = fleet.containers.get(id);
      if (state !== 'pending' || container === undefined) return false;
      const mode = modeFor(fleet, container);
      return mode === 'approve' || (mode === 'auto' && wave.cause.kind === 'found-stale');
    });
    if (wave.state === 'open' && wave.approvedBy === null && asks)
      tell(
        turn,
        wave,
        'needs-approval',
        `wave ${wave.id} (${describeCause(wave.cause)}) waits for approval: groundswell approve ${wave.id}`,
      );
  }
};
