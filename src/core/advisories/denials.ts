import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import type { Advisory } from './advisory.ts';
import { advisoryKey } from './advisory-key.ts';
import type { Finding, Judged } from './match.ts';

/**
 * Debian's tracker, which says of each CVE what it is to a source in a release, as the lists say of each advisory. Red Hat's VEX
 * names what is not affected, too, but of parts of updates that are to be had as a whole. Here by the names of such feeds.
 */
export type Trackers = ReadonlySet<string>;

/** As the feed is called where nobody gives it another name. */
export const usualTrackers: Trackers = new Set(['debian-tracker']);

/** Whether the tracker may have another word on the CVEs of an advisory: on those of Debian's that are not its own. */
export const mayBeDenied = ({ feed, affected }: Advisory, trackers: Trackers): boolean =>
  !trackers.has(feed) && affected.some(({ distro }) => distro === 'debian');

/** Under which keys the tracker's word on a CVE is found. */
export const trackerKeys = (cve: string, trackers: Trackers): { feed: string; id: string }[] =>
  [...trackers].map((feed) => ({ feed, id: cve }));

/** The tracker says that a package is not affected by a CVE, or not in a way that counts. */
export interface Denial {
  /** The version that the security archive had then; null: it is not told. */
  asOf: string | null;
}

/** What an advisory denies of one package; null: nothing. By whichever name it means the package, if it says otherwise by another. */
export const denialOf = (
  { feed }: Advisory,
  judged: readonly Judged[],
  trackers: Trackers,
): Denial | null => {
  if (!trackers.has(feed) || judged.some(({ findings }) => findings.length > 0)) return null;
  const row = judged.find(({ sparedBy }) => sparedBy !== null)?.sparedBy ?? null;
  return row === null ? null : { asOf: row.asOf ?? null };
};

/** What was said before the archive had a fix says nothing of that fix: it may be of the time before it was known better. */
const isAbout = ({ asOf }: Denial, { fixed }: Finding): boolean =>
  asOf === null || fixed === null || compareDebVersions(asOf, fixed) >= 0;

/**
 * Findings of one package without what is denied: of their CVEs those that are not the package's, and where none is left, the
 * finding. One that names no CVE is no CVE's, and stays. `denied` is by `advisoryKey`.
 */
export const withoutDenied = (
  findings: readonly Finding[],
  denied: ReadonlyMap<string, Denial> | undefined,
  trackers: Trackers,
): readonly Finding[] =>
  denied === undefined
    ? findings
    : findings.flatMap((one) => {
        const isDenied = (cve: string): boolean =>
          trackerKeys(cve, trackers).some((key) => {
            const denial = denied.get(advisoryKey(key));
            return denial !== undefined && isAbout(denial, one);
          });
        const cves = one.cves.filter((cve) => !isDenied(cve));
        if (cves.length === one.cves.length) return [one];
        return cves.length === 0 ? [] : [{ ...one, cves }];
      });
