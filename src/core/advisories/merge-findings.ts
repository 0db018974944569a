import type { Severity } from './advisory.ts';
import { usualTrackers } from './denials.ts';
import type { Trackers } from './denials.ts';
import { mapEntry } from './map-entry.ts';
import type { Finding } from './match.ts';

/** By the CVE alone, or what has none yet: what Red Hat's VEX and Debian's tracker say, beside the advisories of the same fix. */
const goesByIssue = ({ advisory, feed }: Finding, trackers: Trackers): boolean =>
  /^CVE-\d/.test(advisory) || trackers.has(feed);

/** What Debian publishes as a whole, whichever feed has it. */
const isOfLists = ({ advisory }: Finding): boolean => /^D(?:SA|LA|TSA)-\d/.test(advisory);

const ranks: readonly Severity[] = ['unknown', 'low', 'medium', 'high', 'critical'];

/** How bad it is, where the other one knows that and this one does not. */
const withSeverityOf = (one: Finding, { severity, vendorSeverity }: Finding): Finding =>
  one.severity === 'unknown' ? { ...one, severity, vendorSeverity } : one;

const unite = (one: Finding, other: Finding): Finding => ({
  ...withSeverityOf(one, other),
  cves: [...new Set([...one.cves, ...other.cves])],
});

const packageKey = (one: Finding): string => [one.package, one.arch, one.installed].join('\t');

/** Advisories that several feeds carry, once. */
const onceEach = (findings: readonly Finding[]): Map<string, Finding> => {
  const distinct = new Map<string, Finding>();
  for (const one of findings) {
    const key = [one.advisory, packageKey(one), one.fixed, one.state, one.channel].join('\t');
    const known = distinct.get(key);
    distinct.set(key, known === undefined ? one : unite(known, one));
  }
  return distinct;
};

const noteAt = (known: Map<string, string[]>, place: string, key: string): void => {
  mapEntry(known, place, (): string[] => []).push(key);
};

/**
 * All findings of one host, each thing once. An advisory that several feeds carry is one. What goes by a CVE alone is left out
 * beside an advisory of that CVE which names the same fix, or which names one where this says that there is none; how
 * bad it is, the advisory takes from there, where it does not say it itself. Debian's tracker names no advisories: a CVE that has
 * the fix of one which does not name it is that one's, too.
 */
export const mergeFindings = (
  findings: readonly Finding[],
  trackers: Trackers = usualTrackers,
): Finding[] => {
  const distinct = onceEach(findings);
  /** Advisories for a package that name a fix, by their keys: those of a CVE, and Debian's of the fix. */
  const [ofCve, ofFix] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const [key, one] of distinct) {
    if (goesByIssue(one, trackers) || one.fixed === null) continue;
    for (const cve of one.cves) noteAt(ofCve, `${packageKey(one)}\t${cve}`, key);
    if (isOfLists(one)) noteAt(ofFix, `${packageKey(one)}\t${one.fixed}`, key);
  }
  const bySeverity = [...distinct]
    .filter(([, one]) => goesByIssue(one, trackers))
    .sort(([, a], [, b]) => ranks.indexOf(b.severity) - ranks.indexOf(a.severity));
  for (const [key, one] of bySeverity) {
    const named = (ofCve.get(`${packageKey(one)}\t${one.advisory}`) ?? []).filter(
      (each) => one.fixed === null || distinct.get(each)?.fixed === one.fixed,
    );
    const same =
      named.length === 0 && trackers.has(one.feed)
        ? (ofFix.get(`${packageKey(one)}\t${one.fixed}`) ?? [])
        : named;
    for (const each of same) {
      const advisory = distinct.get(each);
      if (advisory !== undefined)
        distinct.set(each, (named.length > 0 ? withSeverityOf : unite)(advisory, one));
    }
    if (same.length > 0) distinct.delete(key);
  }
  return [...distinct.values()];
};
