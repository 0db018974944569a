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
  /** A wave begins no sooner than this after its update was first seen; one that is exploited may. */
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
  | { kind: 'wait'; rule: PolicyRule; reason: string; until: number | null };

const dateText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;

/** Whether an upgrade may be begun for a need, at `now` by the wall clock. */
export const decideNeed = (
  rules: readonly PolicyRule[],
  corePackages: ReadonlySet<string>,
  need: Need,
  now: number,
): NeedDecision => {
  const rule = ruleFor(rules, corePackages, need);
  const wait = (reason: string, until: number | null = null): NeedDecision => ({
    ...{ kind: 'wait', rule, reason, until },
  });
  if (rule.mode === 'observe') return wait('only observed, by the policy of its platform');
  if (need.target === null || need.firstSeen === null)
    return wait('published, not in the mirror of this host yet');
  if (need.held) return wait('held on this host: apt-mark unhold, or a person upgrades it');
  const { minAgeMs, earliestMs, latestMs } = rule;
  const from = need.firstSeen + Math.max(minAgeMs, earliestMs);
  if (!need.exploited && now < from)
    return wait(
      now < need.firstSeen + minAgeMs
        ? `too new: first seen ${dateText(need.firstSeen)}, taken from ${dateText(from)} on`
        : `begins ${dateText(from)}`,
      from,
    );
  return { kind: 'go', rule, startBy: latestMs === null ? null : need.firstSeen + latestMs };
};
