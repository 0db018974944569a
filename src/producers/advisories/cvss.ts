import type { Severity } from '../../core/advisories/advisory.ts';

type Weights = Record<string, Record<string, number>>;

const version3: Weights = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  ...Object.fromEntries(['C', 'I', 'A'].map((name) => [name, { H: 0.56, L: 0.22, N: 0 }])),
};
/** Privileges are worth more where the scope changes. */
const privileges: Weights = { U: { N: 0.85, L: 0.62, H: 0.27 }, C: { N: 0.85, L: 0.68, H: 0.5 } };
const version2: Weights = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  ...Object.fromEntries(['C', 'I', 'A'].map((name) => [name, { N: 0, P: 0.275, C: 0.66 }])),
};

const metricsOf = (vector: string): Map<string, string> =>
  new Map(
    vector
      .replace(/[()]/g, '')
      .split('/')
      .map((part): [string, string] => {
        const [name = '', value = ''] = part.split(':');
        return [name, value];
      }),
  );

/** Up to the next tenth, as the specification of 3.1 has it: without what binary fractions add. */
const roundUp = (score: number): number => {
  const whole = Math.round(score * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
};

/** The weights of a vector by their metrics; null where one of them is missing. */
const weigh = (
  table: Weights,
  metrics: ReadonlyMap<string, string>,
): ((name: string) => number) | null => {
  const weights = new Map<string, number>();
  for (const [name, values] of Object.entries(table)) {
    const weight = values[metrics.get(name) ?? ''];
    if (typeof weight !== 'number') return null;
    weights.set(name, weight);
  }
  return (name) => weights.get(name) ?? 0;
};

const score3 = (metrics: ReadonlyMap<string, string>): number | null => {
  const scope = metrics.get('S') ?? '';
  const of = weigh(version3, metrics);
  const privilege = privileges[scope]?.[metrics.get('PR') ?? ''];
  if (of === null || typeof privilege !== 'number') return null;
  const base = 1 - (1 - of('C')) * (1 - of('I')) * (1 - of('A'));
  const isChanged = scope === 'C';
  const impact = isChanged ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  if (impact <= 0) return 0;
  const exploitability = 8.22 * of('AV') * of('AC') * privilege * of('UI');
  return roundUp(Math.min(10, (impact + exploitability) * (isChanged ? 1.08 : 1)));
};

const score2 = (metrics: ReadonlyMap<string, string>): number | null => {
  const of = weigh(version2, metrics);
  if (of === null) return null;
  const impact = 10.41 * (1 - (1 - of('C')) * (1 - of('I')) * (1 - of('A')));
  const exploitability = 20 * of('AV') * of('AC') * of('Au');
  const score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact === 0 ? 0 : 1.176);
  return Math.round(score * 10) / 10;
};

/**
 * The base score of a vector of CVSS 2, 3.0 or 3.1, by the specifications' formulas. Null: it is none of these (4.0 has no
 * formula, and feeds give it beside another one), or metrics are missing.
 */
export const baseScore = (vector: string): number | null => {
  const metrics = metricsOf(vector.trim());
  if (/^CVSS:3\.[01]\//.test(vector)) return score3(metrics);
  return metrics.has('Au') ? score2(metrics) : null;
};

/** A vector's rating, as CVSS 3 names it; `unknown` where it is no vector that has one. */
export const severityOfVector = (vector: string): Severity => {
  const score = baseScore(vector);
  if (score === null) return 'unknown';
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : 'low';
};
