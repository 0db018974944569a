import { describeOptOut } from '../opt-out.ts';
import { describeOwnFiles, shadowingFiles } from '../own-files.ts';
import { unavailableBecause } from './availability.ts';
import type { Container, Fleet, Grant } from './fleet.ts';
import { notOnHostRoot, observedBecause } from './may-grant.ts';
import type { Moment } from './may-grant.ts';
import { grantWaits } from './silence.ts';
import { decisionText } from './standing-decision.ts';

/** What the code in a container is, in a word or two. */
export type ContainerCode =
  | 'present'
  | 'stale'
  /** Keeps its own copy of a file of the host's packages: no restart gives it the host's. */
  | 'shadowed'
  /** Has an own version of a package that is newer than the host's. */
  | 'own version'
  | 'unknown'
  /** It is down. */
  | 'none runs'
  /** Does not stand on the host's root. */
  | 'own root'
  /** Does, but is written in keys of LXC before 3; left alone until that is mended. */
  | 'old form';

export const codeOf = ({ view }: Container): ContainerCode => {
  if (!view.onHostRoot) return view.oldForm ? 'old form' : 'own root';
  if (view.stale.length > 0) return 'stale';
  if (shadowingFiles(view.shadowed).length > 0) return 'shadowed';
  if (view.unreadable.length > 0) return 'unknown';
  if (view.instance === null) return 'none runs';
  return view.shadowed.length > 0 ? 'own version' : 'present';
};

/** What runs old code in a container, one sentence each. */
export const staleLines = ({ view }: Container): string[] =>
  view.stale.map(
    ({ pid, command, path, process }) =>
      `${process === 'monitor' ? 'its LXC monitor' : `process ${pid} (${command})`} maps ${path} from before the upgrade`,
  );

/** What a grant is for. */
export const grantName = ({ container, host }: Pick<Grant, 'container' | 'host'>): string =>
  container ?? `upgrade of ${host}`;

/** The last restart's verification, but for what a copy of its own has made of it since. */
export const lastVerification = (container: Container): Container['lastVerification'] =>
  container.lastVerification === 'verified' && codeOf(container) === 'shadowed'
    ? 'shadowed'
    : container.lastVerification;

const waiting = (reason: string): string =>
  reason.startsWith('waits for ') ? `waiting ${reason.slice(6)}` : `waiting: ${reason}`;

/** Of a container in which nothing stale was found. */
const codeSentence = (fleet: Fleet, container: Container, { now }: Moment): string => {
  const { view } = container;
  const own = describeOwnFiles(view.shadowed);
  const shadowed = shadowingFiles(view.shadowed).length > 0;
  const why = unavailableBecause(fleet, container, now);
  if (why !== null)
    return `unavailable: ${why}${own === null || !shadowed ? '' : `; shadowed: ${own}`}`;
  if (own !== null && shadowed) return `shadowed: ${own}, a restart cannot`;
  const unread = view.unreadable[0];
  if (unread !== undefined)
    return `unknown whether it runs the present code: ${unread.what}: ${unread.reason}`;
  return `runs the present code${own === null ? '' : ` but for ${own}`}`;
};

/** Where a container stands in a wave that is not over. */
export interface Standing {
  waveId: string;
  cause: string;
  state: string;
  reason: string;
}

/** The one-line answer to `groundswell why`. */
export const answerFor = (
  fleet: Fleet,
  container: Container,
  waves: readonly Standing[],
  moment: Moment,
): string => {
  const grant = [...fleet.grants.values()].find((open) => open.container === container.id);
  if (grant !== undefined) {
    const waits = grantWaits(fleet, grant, moment.now);
    if (grant.failed)
      return `its restart failed: ${grant.failReason ?? ''}; mend the cause, then: groundswell retry ${container.id}`;
    const step = grant.step ?? 'granted';
    return waits === null
      ? `is being restarted (${step}): ${grant.why}`
      : `its restart waits (${step}): ${waits}; ${grant.why}`;
  }
  const { membershipProblem, view } = container;
  // R18: before what a wave waits for, for that would end and this stay.
  if (membershipProblem !== null && view.onHostRoot) {
    const runs = staleLines(container)[0];
    return `${membershipProblem}${runs === undefined ? '' : `; stale: ${runs}`}`;
  }
  const open = waves.find(({ state }) => state === 'pending');
  if (open !== undefined) return waiting(open.reason);
  if (!view.onHostRoot) {
    const runs = staleLines(container)[0];
    return `left alone: ${notOnHostRoot(container)}${runs === undefined ? '' : `; stale: ${runs}`}`;
  }
  if (container.parked) {
    const note = view.parked;
    const said = note === null ? '' : ` (${note.reason}, by ${note.by})`;
    return `parked${said}: out of the count until it runs`;
  }
  const first = staleLines(container)[0];
  if (view.optOut !== null)
    return first === undefined
      ? `${codeSentence(fleet, container, moment)}; ${describeOptOut(view.optOut)}`
      : `${describeOptOut(view.optOut)}; stale: ${first}`;
  if (first === undefined) return codeSentence(fleet, container, moment);
  const own = shadowingFiles(view.shadowed).length === 0 ? null : describeOwnFiles(view.shadowed);
  const shadowed = own === null ? '' : `; shadowed: ${own}`;
  if (container.attemptedAt !== null)
    return `stale after its restart: ${first}; groundswell ${waves.some(({ state }) => state === 'stale') ? 'retry' : 'restart'} ${container.id}${shadowed}`;
  const decided = decisionText(fleet, container);
  if (decided !== null) return `left as it is, ${decided}; stale: ${first}${shadowed}`;
  const onlyObserved = observedBecause(fleet, container);
  return `${onlyObserved === null ? '' : `${onlyObserved}; `}stale: ${first}${shadowed}`;
};
