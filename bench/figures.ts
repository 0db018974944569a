/** The value below which `share` (0 to 1) of the sorted values lie; NaN without any. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const digits = (value: number, count = 1): string => value.toFixed(count);

/** Median and 95th percentile of times, as cells of a table. */
export const spread = (valuesMs: readonly number[]): [string, string] => [
  digits(median(valuesMs)),
  digits(quantile(valuesMs, 0.95)),
];

/** How `value` stands to `base`: `1.12x`. */
export const ratio = (value: number, base: number): string => `${digits(value / base, 2)}x`;

/**
 * The interval in which the true median lies with a confidence of 95 %, from the order of the values
 * alone (sign test, normal approximation): it supposes nothing of how they are spread.
 */
export const medianInterval = (values: readonly number[]): [number, number] => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - half));
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + half) - 1);
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
};
