import type { PauseLevel } from '../messages.ts';
import type { Fleet, Wave } from './fleet.ts';
import { gateText } from './gate-text.ts';
import { askVoid } from './grants.ts';
import { hasWorkOn } from './host-gate.ts';
import { no, ok } from './operator-action.ts';
import type { Answer } from './operator-action.ts';
import { levelProblem } from './operator-names.ts';
import { grantsConcerned, pauseState } from './pause-state.ts';
import { pauseSubject } from './pause-subject.ts';
import { audit, touch } from './turn.ts';
import type { ControlAudit, Turn } from './turn.ts';
import { tell } from './waves.ts';

const samePause = (a: PauseLevel, b: PauseLevel): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** By what a record of a pause is found: what it is about, and the wave or service of that name. */
const aboutPause = (level: PauseLevel): Pick<ControlAudit, 'subject' | 'waveId' | 'service'> => ({
  subject: pauseSubject(level),
  waveId: level.level === 'wave' ? level.waveId : null,
  service: level.level === 'service' ? level.service : null,
});

/** The open waves that a pause or its end is about: all, or the one it names. */
const wavesConcerned = (fleet: Fleet, level: PauseLevel): Wave[] =>
  [...fleet.waves.values()].filter(
    (wave) =>
      wave.state === 'open' &&
      (level.level === 'wave' ? wave.id === level.waveId : level.level === 'fleet'),
  );

/** Waves that stand still for what failed in them: each is a decision of its own. */
const stillPaused = (fleet: Fleet): string[] =>
  [...fleet.waves.values()].flatMap(({ id, state, pausedBy }) =>
    state === 'open' && pausedBy !== null
      ? [`wave ${id} is paused by what failed in it (${pausedBy}): groundswell resume --wave ${id}`]
      : [],
  );

const notPaused = (fleet: Fleet, level: PauseLevel): string => {
  const others = [...fleet.pauses.values()].map((other) => pauseSubject(other.level));
  const paused = others.length === 0 ? [] : [`paused: ${others.join(', ')}`];
  const more = [...paused, ...stillPaused(fleet)];
  return [
    `${pauseSubject(level)} is not paused`,
    ...(more.length === 0 ? ['see: groundswell status'] : more),
  ].join('; ');
};

export const pause = (turn: Turn, actor: string, level: PauseLevel, reason: string): Answer => {
  const { fleet } = turn;
  const problem = levelProblem(fleet, level);
  if (problem !== null) return no(problem);
  const there = [...fleet.pauses.values()].find((other) => samePause(other.level, level));
  if (there !== undefined)
    return ok(`${pauseSubject(level)} is paused already, by ${there.actor}`, there.id);
  const id = turn.newId();
  fleet.pauses.set(id, { id, level, actor, reason, at: turn.now });
  touch(turn, { table: 'pauses', key: id });
  audit(turn, {
    action: 'paused',
    ...aboutPause(level),
    actor,
    details: { reason },
  });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  // R31: what has not begun is asked back; what is in flight goes on.
  for (const grant of grantsConcerned(fleet, level))
    if (grant.expect?.kind !== 'retry') askVoid(turn, grant, 'paused');
  for (const wave of wavesConcerned(fleet, level))
    tell(turn, wave, 'paused', `wave ${wave.id} is paused by ${actor}: ${reason}`);
  const { state, inFlight, waitsFor } = pauseState(fleet, level, turn.now);
  const first = waitsFor.slice(0, 3).join(', ');
  const what =
    inFlight === waitsFor.length
      ? `${inFlight} in flight (${first}${inFlight > 3 ? ', …' : ''})`
      : `waits for ${first}${waitsFor.length > 3 ? `, and ${waitsFor.length - 3} more` : ''}`;
  return ok(`${state} (${pauseSubject(level)})${state === 'paused' ? '' : `: ${what}`}`, id);
};

/** R29: a gate is not passed over by resuming: it is asked until it passes, and until then its host waits. */
const gatesThatHold = (fleet: Fleet, waves: Wave[]): string[] =>
  [...fleet.hosts.values()].flatMap((host) => {
    const text = gateText(host);
    return text !== null &&
      waves.some((wave) => wave.pausedBy === null && hasWorkOn(fleet, host, wave))
      ? [`${text}; once it does, what waits there goes on`]
      : [];
  });

export const resume = (turn: Turn, actor: string, level: PauseLevel): Answer => {
  const { fleet } = turn;
  const rows = [...fleet.pauses.values()].filter((other) => samePause(other.level, level));
  const waves = wavesConcerned(fleet, level);
  // R32: what its own failures paused is not passed over with all else, but named.
  const held = level.level === 'wave' ? waves.filter(({ pausedBy }) => pausedBy !== null) : [];
  // What was paused may be gone meanwhile, and its pause is lifted all the same.
  if (rows.length === 0 && held.length === 0)
    return no(levelProblem(fleet, level) ?? notPaused(fleet, level));
  for (const { id } of rows) {
    fleet.pauses.delete(id);
    touch(turn, { table: 'pauses', key: id });
  }
  // The next pause is news again.
  for (const wave of waves) {
    const told = wave.told.filter((key) => !key.startsWith('paused:'));
    if (told.length !== wave.told.length) touch(turn, { table: 'waves', key: wave.id });
    wave.told = told;
  }
  // R31: resuming a wave goes on where it stood and sets its failure count to 0.
  for (const wave of held) {
    wave.pausedBy = null;
    wave.failures = 0;
    wave.told = wave.told.filter((key) => !key.startsWith('failed:'));
    for (const grant of fleet.grants.values()) {
      if (grant.waveId !== wave.id || !grant.suspect) continue;
      grant.deadline = turn.now + fleet.settings.deadlineMs;
      grant.suspect = false;
      touch(turn, { table: 'grants', key: grant.id });
    }
    touch(turn, { table: 'waves', key: wave.id });
  }
  audit(turn, { action: 'resumed', ...aboutPause(level), actor });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  const named = level.level === 'wave' ? [] : stillPaused(fleet);
  return ok(
    [`resumed (${pauseSubject(level)})`, ...gatesThatHold(fleet, waves), ...named].join('; '),
  );
};
