/** `2011-09-27 22:46`, `2023-02-22 23:22:00`, `2025-11-27T09:11:22.820964+00:00`, `2024-07-29`, ` UTC` behind it. */
const WRITTEN =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)? ?(?:Z|UTC|([+-])(\d\d):?(\d\d))?$/;
/** Years that a date of an advisory can have; also what keeps `toISOString` from failing. */
const FIRST_YEAR = 1990;
const LAST_YEAR = 2200;

const asIso = (timeMs: number): string | null => {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  return year >= FIRST_YEAR && year <= LAST_YEAR ? date.toISOString() : null;
};

/**
 * A feed's date as ISO 8601 in UTC, or null where it is none. Dates that name no zone are in UTC: every feed known here
 * means that.
 */
export const isoTime = (text: string | null | undefined): string | null => {
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] =
    WRITTEN.exec(text?.trim() ?? '') ?? [];
  if (year === undefined || month === undefined || day === undefined) return null;
  const inRange =
    Number(month) <= 12 && Number(day) <= 31 && Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60;
  if (!inRange || month === '00' || day === '00') return null;
  const offset = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * 60_000;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
    Number(`0.${fraction ?? '0'}`) * 1000,
  );
  return asIso(sign === '-' ? local + offset : local - offset);
};

/** The same of seconds since 1970. */
export const isoTimeOfSeconds = (seconds: number): string | null => asIso(seconds * 1000);
