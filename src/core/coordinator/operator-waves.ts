import type { Fleet, Wave, WaveMember } from './fleet.ts';
import { askVoid } from './grants.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { openWaveNamed, serviceProblem } from './operator-names.ts';
import { shownForm } from './shown-form.ts';
import { rememberTried } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { endWave } from './wave-end.ts';
import { describeCause } from './wave-cause.ts';
import { tell } from './waves.ts';

/** States of a member that the wave would not have brought to the present code any more. */
const isDone: ReadonlySet<WaveMember['state']> = new Set(['verified', 'not-needed', 'gone']);

/**
 * R34: what was decided against is not found stale anew at the next look. What a person had asked for by hand was not
 * for old code, so nothing is decided about that.
 */
const noteDecision = (turn: Turn, by: string, wave: Wave, how: 'declined' | 'stopped'): void => {
  const { fleet } = turn;
  if (wave.byHand) return;
  for (const [id, { state }] of wave.members) {
    const container = fleet.containers.get(id);
    if (container === undefined || isDone.has(state)) continue;
    const transactions = fleet.hosts.get(container.host)?.transactions ?? 0;
    container.decided = { transactions, waveId: wave.id, how, by };
    touch(turn, { table: 'containers', key: id });
  }
};

const hostsText = ({ upgrades }: Wave): string => {
  const count = [...upgrades.values()].filter(({ state }) => state !== 'left-out').length;
  return count === 1 ? '1 host' : `${count} hosts`;
};

/** `approve`, `decline` and `stop`. */
export const decideWave = (
  turn: Turn,
  actor: string,
  asked: Extract<OperatorAction, { action: 'approve' | 'decline' | 'stop' }>,
): Answer => {
  const { fleet } = turn;
  const { action, waveId: named } = asked;
  const wave = openWaveNamed(fleet, named);
  if (typeof wave === 'string') return no(wave);
  if (asked.action === 'approve' && asked.shown !== undefined && asked.shown !== shownForm(wave))
    return no(
      `wave ${wave.id} is another by now, in what it brings or on which hosts (${describeCause(wave.cause)}; ${hostsText(wave)}): groundswell wave ${wave.id}`,
    );
  touch(turn, { table: 'waves', key: wave.id });
  if (action === 'approve') {
    if (wave.approvedBy !== null)
      return no(`wave ${wave.id} was approved by ${wave.approvedBy} already`);
    wave.approvedBy = actor;
    audit(turn, { action: 'wave-approved', subject: `wave ${wave.id}`, waveId: wave.id, actor });
    const what = wave.cause.kind === 'advisories' ? ` (${describeCause(wave.cause)})` : '';
    return ok(`wave ${wave.id}${what} is approved`, wave.id);
  }
  const grants = [...fleet.grants.values()].filter(({ waveId }) => waveId === wave.id);
  if (action === 'decline' && grants.length > 0)
    return no(`wave ${wave.id} has begun: groundswell stop ${wave.id}`);
  noteDecision(turn, actor, wave, action === 'stop' ? 'stopped' : 'declined');
  if (action === 'stop') {
    wave.state = 'stopping';
    // At once, also for hosts that come back before the wave is over.
    rememberTried(turn, wave, { decided: true });
  } else {
    endWave(turn, wave, 'declined');
    const cause = describeCause(wave.cause);
    tell(turn, wave, 'ended', `wave ${wave.id} (${cause}) was declined by ${actor}`);
  }
  for (const grant of grants) askVoid(turn, grant, 'the wave was stopped');
  audit(turn, {
    action: action === 'decline' ? 'wave-declined' : 'wave-stopped',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    actor,
  });
  return ok(
    action === 'decline' ? `wave ${wave.id} is declined` : `wave ${wave.id} is stopping`,
    wave.id,
  );
};

/** Services that a wave can take down: those of its members, and of the hosts that it upgrades (R29). */
const servicesOf = (fleet: Fleet, wave: Wave): Set<string> =>
  new Set(
    [...fleet.containers.values()]
      .filter(({ id, host }) => wave.members.has(id) || wave.upgrades.has(host))
      .map(({ service }) => service),
  );

/** R17: the floor of a service is waived for one wave. */
export const allowOutage = (
  turn: Turn,
  actor: string,
  { waveId, service }: Extract<OperatorAction, { action: 'allow-outage' }>,
): Answer => {
  const { fleet } = turn;
  const wave = openWaveNamed(fleet, waveId);
  if (typeof wave === 'string') return no(wave);
  const problem = serviceProblem(fleet, service);
  if (problem !== null) return no(problem);
  if (!servicesOf(fleet, wave).has(service))
    return no(
      `wave ${wave.id} has no container of service ${service}; see: groundswell wave ${wave.id}`,
    );
  if (wave.outagesAllowed.includes(service))
    return ok(`wave ${wave.id} may take ${service} below its floor already`, wave.id);
  wave.outagesAllowed.push(service);
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'outage-allowed',
    subject: `service ${service}`,
    service,
    waveId: wave.id,
    actor,
  });
  return ok(`wave ${wave.id} may take ${service} below its floor`, wave.id);
};
