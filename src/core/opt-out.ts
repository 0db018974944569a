import { globMatches } from './glob.ts';
import type { HostId } from './ids.ts';

/** Never restart, or not before a date, what all of the given globs match. */
export interface OptOut {
  host?: string | undefined;
  container?: string | undefined;
  service?: string | undefined;
  reason: string;
  /** Wall-clock ms at which it ends; null: never. */
  until: number | null;
}

export interface OptOutSubject {
  hostId: HostId;
  name: string;
  service: string;
}

const applies = (optOut: OptOut, { hostId, name, service }: OptOutSubject): boolean =>
  (optOut.host === undefined || globMatches(optOut.host, hostId)) &&
  (optOut.container === undefined || globMatches(optOut.container, name)) &&
  (optOut.service === undefined || globMatches(optOut.service, service));

/** The opt-out in force for a container that lasts longest, or null. One whose end has come is none. */
export const optOutFor = (
  optOuts: readonly OptOut[],
  subject: OptOutSubject,
  wallMs: number,
): { reason: string; until: number | null } | null => {
  const end = ({ until }: { until: number | null }): number => until ?? Infinity;
  const [longest] = optOuts
    .filter((optOut) => end(optOut) > wallMs && applies(optOut, subject))
    .sort((a, b) => end(b) - end(a));
  return longest === undefined ? null : { reason: longest.reason, until: longest.until };
};

/** `2027-03-01T00:00Z`: a moment as operators read and write it. */
const minuteOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;

/** `opted out until 2027-03-01T00:00Z: sale`; without a date it is for good. */
export const describeOptOut = ({
  reason,
  until,
}: {
  reason: string;
  until: number | null;
}): string => `opted out${until === null ? '' : ` until ${minuteOf(until)}`}: ${reason}`;
