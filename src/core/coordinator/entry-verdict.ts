import { isLate } from './advisories-cause.ts';
import { isCurrent, notCurrentText } from './decisions.ts';
import type { Decided, Decisions } from './decisions.ts';
import type { Fleet, Host, WantedUpgrade, WaveUpgrade } from './fleet.ts';
import { openAdvisoryWaves, seenBy } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { isUrgent, tooEarly } from './policy.ts';
import { alongRefused } from './proved.ts';
import { packageKey, versionKey } from './tried.ts';

/**
 * Whether a wave of advisories may give a host a package now, in the version that it brings. `leave`: it is nothing of that wave
 * any more; `follow`: it may stay, once the wave brings what the host is offered by now.
 */
export type Verdict =
  | { kind: 'order' }
  | { kind: 'follow'; version: string }
  | { kind: 'wait'; reason: string }
  | { kind: 'leave'; reason: string };

export const notMissing = 'nothing of it is missing any more';

interface Asked {
  fleet: Fleet;
  wave: AdvisoryWave;
  host: Host;
  upgrade: WaveUpgrade;
  entry: WantedUpgrade;
  /** Some upgrade of the wave was given out: what it brings stays as it is. */
  hasBegun: () => boolean;
  /** Whether the wave may bring this version of a package in place of the one that it brings. */
  mayFollow: (key: string, version: string) => boolean;
  /** By the clock of the server, and on the wall. */
  now: number;
  wallMs: number;
}

/** By its own failures, or by a person. */
const isPaused = ({ pauses }: Fleet, { id, pausedBy }: AdvisoryWave): boolean =>
  pausedBy !== null ||
  [...pauses.values()].some(({ level }) => level.level === 'wave' && level.waveId === id);

const refusalOf = ({ host, entry }: Asked) =>
  host.refused.find(({ version }) => version === versionKey(entry, entry.version));

/** Its repositories offer what the wave brings. */
const asOffered = (asked: Asked, { decision }: Decided): Verdict => {
  const { wave, entry, now } = asked;
  // A person's word is for a version, however new it is.
  const isApproved = wave.approvedBy !== null;
  if (decision.kind === 'wait' && !(isApproved && decision.code === 'age'))
    return {
      kind: decision.code === 'age' && asked.hasBegun() ? 'wait' : 'leave',
      reason: decision.reason,
    };
  // What its repositories did not have is not asked for again at once, whatever they are said to offer.
  return now < (refusalOf(asked)?.until ?? now)
    ? { kind: 'wait', reason: `its repositories did not have ${entry.name} ${entry.version ?? ''}` }
    : { kind: 'order' };
};

/** They offer something else, and others of the wave have got what it brings, or are getting it: so does this host, or it waits. */
const asBegun = (asked: Asked, { need, decision, together }: Decided): Verdict => {
  const { wave, entry, wallMs } = asked;
  const { cause } = wave;
  const [key, version] = [packageKey(entry), entry.version ?? ''];
  const offers = `its repositories offer ${entry.name} ${need.target ?? 'in nothing newer'}, not ${version}`;
  if (entry.installed !== need.installed)
    return { kind: 'leave', reason: `${entry.name} is at ${need.installed} by now` };
  if (cause.whenMirrorMoved === 'start-over') return { kind: 'leave', reason: offers };
  if (cause.moved?.includes(key) === true)
    return { kind: 'wait', reason: `${offers}, which this wave has proved; it waits for that` };
  // Refused where nobody has got it: there is nothing to keep to.
  if (refusalOf(asked) !== undefined) return { kind: 'leave', reason: offers };
  const known = cause.packages.find((one) => packageKey({ ...one, name: one.source }) === key);
  const firstSeen = known?.firstSeen ?? need.firstSeen ?? wallMs;
  const early = tooEarly(decision.rule, { firstSeen, exploited: isUrgent(together) }, wallMs);
  if (wave.approvedBy === null && early !== null) return { kind: 'wait', reason: early.reason };
  return { kind: 'order' };
};

const verdictOf = (decisions: Decisions, asked: Asked, decided: Decided): Verdict => {
  const { fleet, wave, host, entry, wallMs } = asked;
  const { need, decision } = decided;
  const leave = (reason: string): Verdict => ({ kind: 'leave', reason });
  if (decision.kind === 'wait' && (decision.code === 'observe' || decision.code === 'held'))
    return leave(decision.reason);
  const unread = host.needs?.unread ?? null;
  // That nothing is offered does not say that its repositories have lost anything.
  if (need.target === null && unread !== null)
    return { kind: 'wait', reason: `its repositories cannot be read: ${unread}` };
  if (wave.approvedBy === null && decisions.modeOf(host, decided) !== wave.cause.mode)
    return leave('another mode holds for it by now');
  const isDueNow =
    decision.kind === 'go' &&
    isLate(fleet, decision.startBy, wallMs) &&
    decisions.modeOf(host, decided) === 'auto';
  if (isDueNow && !isLate(fleet, wave.cause.startBy, wallMs))
    return leave('it waits for its maintenance window no longer, as others of the wave do');
  const { target } = need;
  if (target === entry.version) return asOffered(asked, decided);
  if (asked.hasBegun()) return asBegun(asked, decided);
  if (wave.approvedBy !== null)
    return leave(
      `${entry.name} ${entry.version ?? ''} was approved, and its repositories offer ${target ?? 'nothing newer'} by now`,
    );
  if (target === null || decision.kind === 'wait')
    return leave(decision.kind === 'wait' ? decision.reason : 'not offered');
  return asked.mayFollow(packageKey(entry), target)
    ? { kind: 'follow', version: target }
    : leave(`its repositories offer ${entry.name} ${target} by now`);
};

/** By what is decided now, not when the wave was opened: an upgrade that policy forbids by now is not begun. */
export const verdictOn = (decisions: Decisions, asked: Asked): Verdict => {
  const decided = decisions.of(asked.host).get(packageKey(asked.entry));
  if (decided === undefined) return { kind: 'leave', reason: notMissing };
  const verdict = verdictOf(decisions, asked, decided);
  // What waits in a paused wave stays there: else it would go on in another one.
  return verdict.kind === 'leave' && isPaused(asked.fleet, asked.wave)
    ? { kind: 'wait', reason: verdict.reason }
    : verdict;
};

/** Why a package is not begun by itself: another wave does something about its source, or could not. */
const takenBecause = (
  fleet: Fleet,
  decisions: Decisions,
  host: Host,
  entry: WantedUpgrade,
): string | null => {
  const waves = openAdvisoryWaves(fleet);
  const taken = decisions
    .of(host)
    .get(packageKey(entry))
    ?.together.find((one) => seenBy(waves, host.id, packageKey(one), one.target) === 'taken');
  return taken === undefined
    ? null
    : `its upgrade of ${taken.name}, of the same source, is not over, or failed and waits for a person`;
};

/** What a host is to be ordered, each package in the exact version that the wave brings; or why it waits. */
export const orderFor = (
  decisions: Decisions,
  asked: Omit<Asked, 'entry'>,
): { kind: 'order'; packages: WantedUpgrade[] } | { kind: 'wait'; reason: string } => {
  const { fleet, wave, host, upgrade } = asked;
  if (!isCurrent(host)) return { kind: 'wait', reason: notCurrentText };
  const lost = alongRefused(wave, host, asked.now);
  if (lost !== null)
    return {
      kind: 'wait',
      reason: `its repositories did not have ${lost.replace('=', ' ')}, which came along on the first host of the wave`,
    };
  const packages: WantedUpgrade[] = [];
  for (const entry of upgrade.packages) {
    const verdict = verdictOn(decisions, { ...asked, entry });
    // What takes the place of the version that was decided about is decided about first.
    if (verdict.kind === 'follow')
      return { kind: 'wait', reason: `${entry.name} ${verdict.version} is offered by now` };
    if (verdict.kind !== 'order') return { kind: 'wait', reason: verdict.reason };
    const taken = wave.approvedBy === null ? takenBecause(fleet, decisions, host, entry) : null;
    if (taken !== null) return { kind: 'wait', reason: taken };
    packages.push({ name: packageKey(entry), want: 'exact', version: entry.version });
  }
  return { kind: 'order', packages };
};
