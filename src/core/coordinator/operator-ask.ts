import { describeOptOut } from '../opt-out.ts';
import { barredText } from './barred.ts';
import type { Container, Fleet } from './fleet.ts';
import { notOnHostRoot } from './may-grant.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { containerNamed, hostNamed } from './operator-names.ts';
import type { Turn } from './turn.ts';
import { joinWave, openWave } from './waves.ts';

/** Why a restart of it would never begin, however long it waited; null: it may. */
const neverRestarted = (fleet: Fleet, container: Container): string | null => {
  const { host, view } = container;
  if (!view.onHostRoot) return `left alone: ${notOnHostRoot(container)}`;
  if (container.membershipProblem !== null) return container.membershipProblem;
  const at = fleet.hosts.get(host);
  const decided = at === undefined ? 'not enrolled' : barredText(at);
  if (decided !== null) return `its host is ${decided}`;
  if (view.optOut !== null) return describeOptOut(view.optOut);
  if (container.parked || view.ownerStopped) return 'stopped: nothing runs in it';
  return null;
};

/** What was asked for is only begun: how it ends is the wave's to tell. */
const watchIt = (waveId: string): string => `; how it goes: groundswell wave ${waveId} --follow`;

/** A restart by hand of those that can be restarted; the answer names the others. */
export const restart = (
  turn: Turn,
  actor: string,
  { containers, what }: Extract<OperatorAction, { action: 'restart' }>,
): Answer => {
  const wanted: Container[] = [];
  const leftOut: string[] = [];
  for (const id of new Set(containers)) {
    const container = containerNamed(turn.fleet, id);
    if (typeof container === 'string') return no(container);
    const reason = neverRestarted(turn.fleet, container);
    if (reason === null) wanted.push(container);
    else leftOut.push(`${id} (${reason})`);
  }
  if (wanted.length === 0) return no(`nothing there can be restarted: ${leftOut.join(', ')}`);
  const wave = openWave(turn, { kind: 'by-hand', actor, what }, true, actor);
  for (const container of wanted) joinWave(turn, wave, container);
  const names = wanted.length === 1 ? (wanted[0]?.id ?? '') : `${wanted.length} containers`;
  return ok(
    `wave ${wave.id} restarts ${names}${leftOut.length === 0 ? '' : `; left out: ${leftOut.join(', ')}`}${watchIt(wave.id)}`,
    wave.id,
  );
};

/** A wave that upgrades hosts, one after another (R29). */
export const upgrade = (
  turn: Turn,
  actor: string,
  { hosts, mode, packages, allowRemove }: Extract<OperatorAction, { action: 'upgrade' }>,
): Answer => {
  for (const hostId of hosts) {
    const host = hostNamed(turn.fleet, hostId);
    if (typeof host === 'string') return no(host);
    const decided = barredText(host);
    if (decided !== null) return no(`host ${hostId} is ${decided}`);
  }
  if (mode === 'packages' && packages.length === 0)
    return no('no packages are named: name some, or ask for all security updates');
  if (mode === 'security' && packages.length > 0)
    return no('all security updates were asked for, and packages named: ask for one of the two');
  const named = packages.map(({ name, version }) => ({ source: name, to: version ?? '' }));
  const cause = { kind: 'upgrade', packages: named, changes: [], by: 'groundswell' } as const;
  const wave = openWave(turn, { ...cause, changes: [] }, false, actor);
  for (const hostId of hosts)
    wave.upgrades.set(hostId, { state: 'pending', mode, packages, allowRemove, reason: '' });
  return ok(`wave ${wave.id} upgrades ${hosts.join(', ')}${watchIt(wave.id)}`, wave.id);
};
