import { isCurrent } from './decisions.ts';
import type { Decided, Decisions } from './decisions.ts';
import type { Fleet, Host, WantedUpgrade, WaveUpgrade } from './fleet.ts';
import { openAdvisoryWaves, seenBy } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { tooEarly } from './policy.ts';
import { packageKey, versionKey } from './tried.ts';

/** Whether a wave of advisories may give a host a package now, and in which version; `leave`: it is nothing of that wave any more. */
export type Verdict =
  | { kind: 'order'; version: string }
  | { kind: 'wait'; reason: string }
  | { kind: 'leave'; reason: string };

export const notMissing = 'nothing of it is missing any more';

interface Asked {
  wave: AdvisoryWave;
  host: Host;
  upgrade: WaveUpgrade;
  entry: WantedUpgrade;
  /** By the clock of the server, and on the wall. */
  now: number;
  wallMs: number;
}

const refusalOf = ({ refused }: Host, entry: WantedUpgrade, version: string) =>
  refused.find((one) => one.version === versionKey(entry, version));

/** What its repositories did not have is not asked for again at once, whatever they are said to offer. */
const notAgainYet = ({ host, entry, now }: Asked, version: string): Verdict | null =>
  now < (refusalOf(host, entry, version)?.until ?? now)
    ? { kind: 'wait', reason: `its repositories did not have ${entry.name} ${version}` }
    : null;

/** Others of the wave have got this version: this host gets it too, or waits until its mirror has it. */
const asProved = (asked: Asked, { need, decision }: Decided, proved: string): Verdict => {
  const { wave, host, entry, wallMs } = asked;
  if (refusalOf(host, entry, proved) !== undefined && need.target !== proved)
    return {
      kind: 'wait',
      reason: `its repositories offer ${entry.name} ${need.target ?? 'in nothing newer'}, not ${proved}, which this wave has proved; it waits for that`,
    };
  const soon = notAgainYet(asked, proved);
  if (soon !== null) return soon;
  const known = wave.cause.packages.find(
    (one) => packageKey({ ...one, name: one.source }) === packageKey(entry) && one.to === proved,
  );
  const firstSeen = known?.firstSeen ?? need.firstSeen ?? wallMs;
  const early = tooEarly(decision.rule, { ...need, firstSeen }, wallMs);
  // A person's word is for a version, however new it is.
  if (wave.approvedBy === null && early !== null) return { kind: 'wait', reason: early.reason };
  return { kind: 'order', version: proved };
};

/** The first host of the wave gets the very version that was decided about. */
const asDecided = (asked: Asked, { need, decision }: Decided): Verdict => {
  const { wave, entry } = asked;
  const { target } = need;
  const isApproved = wave.approvedBy !== null;
  const isSame = target !== null && target === entry.version;
  if (isApproved && !isSame)
    return {
      kind: 'leave',
      reason: `${entry.name} ${entry.version ?? ''} was approved, and its repositories offer ${target ?? 'nothing newer'} by now`,
    };
  const isOnlyNew = decision.kind === 'wait' && decision.code === 'age';
  if (target === null || (decision.kind === 'wait' && !(isApproved && isOnlyNew)))
    return { kind: 'leave', reason: decision.kind === 'wait' ? decision.reason : 'not offered' };
  return notAgainYet(asked, target) ?? { kind: 'order', version: target };
};

/** By what is decided now, not when the wave was opened: an upgrade that policy forbids by now is not begun. */
export const verdictOn = (decisions: Decisions, asked: Asked): Verdict => {
  const { wave, host, entry } = asked;
  const key = packageKey(entry);
  const decided = decisions.of(host).get(key);
  if (decided === undefined) return { kind: 'leave', reason: notMissing };
  const { decision } = decided;
  if (decision.kind === 'wait' && (decision.code === 'observe' || decision.code === 'held'))
    return { kind: 'leave', reason: decision.reason };
  if (wave.approvedBy === null && decisions.modeOf(host, decided) !== wave.cause.mode)
    return { kind: 'leave', reason: 'another mode holds for it by now' };
  const proved = wave.cause.proved[key];
  return proved === undefined ? asDecided(asked, decided) : asProved(asked, decided, proved);
};

/** Why a package is not begun by itself: another wave does something about its source, or could not. */
const takenBecause = (
  fleet: Fleet,
  decisions: Decisions,
  { host }: Pick<Asked, 'host'>,
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

/** What a host is to be ordered, each package in its exact version; or why it waits. */
export const orderFor = (
  fleet: Fleet,
  decisions: Decisions,
  asked: Omit<Asked, 'entry'>,
): { kind: 'order'; packages: WantedUpgrade[] } | { kind: 'wait'; reason: string } => {
  if (!isCurrent(asked.host))
    return { kind: 'wait', reason: 'what it needs is not known yet: its packages are looked at' };
  const packages: WantedUpgrade[] = [];
  for (const entry of asked.upgrade.packages) {
    const verdict = verdictOn(decisions, { ...asked, entry });
    if (verdict.kind !== 'order') return { kind: 'wait', reason: verdict.reason };
    // What takes the place of the version that was decided about is decided about first.
    if (
      asked.wave.cause.proved[packageKey(entry)] === undefined &&
      entry.version !== verdict.version
    )
      return { kind: 'wait', reason: `${entry.name} ${verdict.version} is offered by now` };
    const taken =
      asked.wave.approvedBy === null ? takenBecause(fleet, decisions, asked, entry) : null;
    if (taken !== null) return { kind: 'wait', reason: taken };
    packages.push({ name: packageKey(entry), want: 'exact', version: verdict.version });
  }
  return { kind: 'order', packages };
};
