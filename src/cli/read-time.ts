import { InvalidArgumentError } from 'commander';

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A date as it stands, or a length of time before (-1) or after (1) the present moment; in ms. */
const readMoment = (text: string, direction: 1 | -1, wanted: string): number => {
  const length = /^(\d{1,5})([mhd])$/.exec(text);
  const ms =
    length === null
      ? Date.parse(text)
      : Date.now() + direction * Number(length[1]) * (unitMs[length[2] ?? ''] ?? 0);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(
      `Want a date (2026-12-24 or 2026-12-24T18:00Z), or 30m, 2h, 7d ${wanted}.`,
    );
  return ms;
};

/** A date, or how long ago: as ISO 8601. */
export const readPast = (text: string): string =>
  new Date(readMoment(text, -1, 'ago')).toISOString();

/** A date, or how long from now: in ms. */
export const readFuture = (text: string): number => readMoment(text, 1, 'from now');
