import type { GateAnswer } from '../messages.ts';
import type { Fleet, Host, Wave } from './fleet.ts';
import { gateText } from './gate-text.ts';
import { askVoid } from './grants.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { pauseWave } from './waves.ts';

/** Whether a wave has upgraded a host, or has something to restart there. What a person asked for by hand goes on. */
export const hasWorkOn = (fleet: Fleet, host: Host, wave: Wave): boolean =>
  wave.state === 'open' &&
  !wave.byHand &&
  (wave.upgrades.has(host.id) ||
    [...wave.members].some(
      ([id, { state }]) =>
        fleet.containers.get(id)?.host === host.id &&
        (state === 'pending' || state === 'restarting'),
    ));

/**
 * R29: how the host gate stands, by its agent's word. One that has stopped passing pauses what still has
 * to do with its host, and takes back what has not begun there; one that passes again lets it go on.
 */
export const noteGate = (turn: Turn, host: Host, answer: GateAnswer | null): void => {
  const { fleet } = turn;
  if (answer === null) return;
  const before = host.gate;
  host.gate = answer.ok ? null : answer.reason;
  if ((host.gate === null) !== (before === null))
    host.gateSince = host.gate === null ? null : turn.wall.ms;
  if (host.gate !== before) touch(turn, { table: 'hosts', key: host.id });
  const text = gateText(host);
  if (text === null || before !== null) return;
  for (const grant of fleet.grants.values())
    if (grant.host === host.id && grant.kind === 'restart' && !grant.byHand)
      askVoid(turn, grant, text);
  const concerned = [...fleet.waves.values()].filter((wave) => hasWorkOn(fleet, host, wave));
  for (const wave of concerned) pauseWave(turn, wave, text);
  if (concerned.length === 0) turn.notices.push({ kind: 'alert', waveId: null, text });
};
