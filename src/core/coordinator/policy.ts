import type { AdvisoryKind, Severity } from '../advisories/advisory.ts';
import type { Need } from '../advisories/needs.ts';
import type { Mode } from '../service-settings.ts';

/** One rule of a platform's policy: what it is for (null: whatever it is), and what then holds. Times in ms. */
export interface PolicyRule {
  severities: readonly Severity[] | null;
  /** Whether the package is one of the platform's core packages. */
  core: boolean | null;
  exploited: boolean | null;
  /** Which kinds of advisories it is for. */
  kinds: readonly AdvisoryKind[];
  mode: Mode;
  /** So old an update must be, counted from when it was first seen; one that is exploited need not. */
  minAgeMs: number;
  /** A wave begins no sooner than this after its update was first seen, exploited or not. */
  earliestMs: number;
  /** A wave that waits for its maintenance window so long after its update was first seen begins without; null: never. */
  latestMs: number | null;
  /** What a wave does where a mirror has no more what its first host proved. */
  whenMirrorMoved: 'wait' | 'start-over';
}

/** What holds where no rule says anything: a person decides. */
export const defaultRule: PolicyRule = {
  ...{ severities: null, core: null, exploited: null, kinds: ['security'] },
  ...{ mode: 'approve', minAgeMs: 0, earliestMs: 0, latestMs: null, whenMirrorMoved: 'wait' },
};

/** What is no matter of security is upgraded only where a rule asks for it. */
const notAskedFor: PolicyRule = { ...defaultRule, mode: 'observe' };

/** The first rule that is for a need. */
export const ruleFor = (
  rules: readonly PolicyRule[],
  corePackages: ReadonlySet<string>,
  { name, severity, exploited, kind }: Pick<Need, 'name' | 'severity' | 'exploited' | 'kind'>,
): PolicyRule =>
  rules.find(
    (rule) =>
      rule.kinds.includes(kind) &&
      (rule.severities === null || rule.severities.includes(severity)) &&
      (rule.core === null || rule.core === corePackages.has(name)) &&
      (rule.exploited === null || rule.exploited === exploited),
  ) ?? (kind === 'security' ? defaultRule : notAskedFor);

/** Kinds of advisories that some rule asks for. */
export const kindsAskedFor = ({
  policies,
}: {
  policies: Readonly<Record<string, readonly PolicyRule[]>>;
}): ReadonlySet<AdvisoryKind> =>
  new Set([
    ...defaultRule.kinds,
    ...Object.values(policies)
      .flat()
      .flatMap(({ kinds }) => kinds),
  ]);

/** What is decided about one need: to go on, or why not (yet). */
export type NeedDecision =
  | { kind: 'go'; rule: PolicyRule; startBy: number | null }
  | { kind: 'wait'; code: WaitCode; rule: PolicyRule; reason: string; until: number | null };

type WaitCode = 'observe' | 'not-offered' | 'held' | 'age';

const dateText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;

/** Why an update that was first seen at `firstSeen` is not taken yet, and until when; null: it may be. */
export const tooEarly = (
  { minAgeMs, earliestMs }: PolicyRule,
  { firstSeen, exploited }: { firstSeen: number; exploited: boolean },
  now: number,
): { reason: string; until: number } | null => {
  const oldAt = firstSeen + (exploited ? 0 : minAgeMs);
  const until = Math.max(oldAt, firstSeen + earliestMs);
  if (now >= until) return null;
  const reason =
    now < oldAt
      ? `too new: first seen ${dateText(firstSeen)}, taken from ${dateText(until)} on`
      : `begins ${dateText(until)}`;
  return { reason, until };
};

/** Whether an upgrade may be begun for a need, at `now` by the wall clock; `exploited`: it, or what is upgraded with it. */
const decideNeed = (
  rules: readonly PolicyRule[],
  corePackages: ReadonlySet<string>,
  need: Need,
  { now, exploited }: { now: number; exploited: boolean },
): NeedDecision => {
  const rule = ruleFor(rules, corePackages, need);
  const wait = (code: WaitCode, reason: string, until: number | null = null): NeedDecision => ({
    ...{ kind: 'wait', code, rule, reason, until },
  });
  if (rule.mode === 'observe')
    return wait('observe', 'only observed, by the policy of its platform');
  const { firstSeen } = need;
  if (need.target === null || firstSeen === null)
    return wait('not-offered', 'published, not in the mirror of this host yet');
  if (need.held)
    return wait(
      'held',
      'held on this host (apt-mark hold, versionlock or an exclude): a person takes that off, or upgrades it',
    );
  const early = tooEarly(rule, { firstSeen, exploited }, now);
  if (early !== null) return wait('age', early.reason, early.until);
  const { latestMs } = rule;
  return { kind: 'go', rule, startBy: latestMs === null ? null : firstSeen + latestMs };
};

const modes: readonly Mode[] = ['observe', 'approve', 'auto'];

/** What holds for all where several rules do: each of them is kept. */
const strictest = (rules: readonly PolicyRule[], one: PolicyRule): PolicyRule => ({
  ...one,
  mode: modes.find((mode) => rules.some((rule) => rule.mode === mode)) ?? one.mode,
  whenMirrorMoved: rules.some(({ whenMirrorMoved }) => whenMirrorMoved === 'wait')
    ? 'wait'
    : 'start-over',
});

/** What is decided about all of them together: nothing begins while one of them waits. */
const common = (decisions: readonly NeedDecision[]): NeedDecision | null => {
  const waits = decisions.filter((one) => one.kind === 'wait');
  const first = waits.find(({ code }) => code === 'observe') ?? waits[0] ?? decisions[0];
  if (first === undefined) return null;
  const rule = strictest(
    decisions.map((one) => one.rule),
    first.rule,
  );
  if (first.kind === 'wait') return { ...first, rule };
  const startBys = decisions.map((one) => (one.kind === 'go' ? one.startBy : null));
  const known = startBys.filter((one) => one !== null);
  return {
    ...{ kind: 'go', rule },
    startBy: known.length < startBys.length ? null : Math.max(...known),
  };
};

/** Whether some of what is upgraded together is exploited: none of it waits for an age then. */
export const isUrgent = (together: readonly Need[]): boolean =>
  together.some(({ exploited, target, held }) => exploited && target !== null && !held);

/**
 * The same for needs of one source, which are upgraded together, with what else of that source comes along: all of it goes
 * by what is strictest for any of them, but that none of it waits for an age where any of them is exploited. What is held, or
 * not offered, does not come along.
 */
export const decideTogether = (
  rules: readonly PolicyRule[],
  corePackages: ReadonlySet<string>,
  needs: readonly Need[],
  now: number,
): Map<Need, NeedDecision> => {
  const exploited = isUrgent(needs);
  const decide = (need: Need): NeedDecision =>
    decideNeed(rules, corePackages, need, { now, exploited });
  const decisions = new Map(needs.map((need) => [need, decide(need)]));
  // Most sources are one package, with nothing that comes along.
  if (needs.length === 1 && needs[0]?.siblings.length === 0) return decisions;
  const staysBehind = (decision: NeedDecision): boolean =>
    decision.kind === 'wait' && (decision.code === 'held' || decision.code === 'not-offered');
  const together = [...decisions].filter(([, decision]) => !staysBehind(decision));
  // One whose own fix is not offered may come along all the same, in a version without it.
  const names = new Set(together.map(([{ name }]) => name));
  const along = together.flatMap(([need]) =>
    need.siblings.filter((name) => !names.has(name)).map((name) => decide({ ...need, name })),
  );
  const all = common([...together.map(([, decision]) => decision), ...along]);
  if (all !== null) for (const [need] of together) decisions.set(need, all);
  return decisions;
};
