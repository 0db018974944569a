import type { Severity } from './advisory.ts';
import type { Finding } from './match.ts';

/** By the CVE alone: what Red Hat's VEX and Debian's tracker say, beside the advisories of the same fix. */
const goesByCve = ({ advisory }: Finding): boolean => /^CVE-\d/.test(advisory);

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

/**
 * All findings of one host, each thing once. An advisory that several feeds carry is one. What goes by a CVE alone is left out
 * beside an advisory of that CVE which names the same fix, or which names one where this says that there is none; how
 * bad it is, the advisory takes from there, where it does not say it itself.
 */
export const mergeFindings = (findings: readonly Finding[]): Finding[] => {
  const distinct = onceEach(findings);
  /** Advisories of a CVE for a package that name a fix, by their keys. */
  const fixing = new Map<string, string[]>();
  for (const [key, one] of distinct) {
    if (goesByCve(one) || one.fixed === null) continue;
    for (const cve of one.cves) {
      const place = `${packageKey(one)}\t${cve}`;
      const known = fixing.get(place);
      if (known === undefined) fixing.set(place, [key]);
      else known.push(key);
    }
  }
  const bySeverity = [...distinct]
    .filter(([, one]) => goesByCve(one))
    .sort(([, a], [, b]) => ranks.indexOf(b.severity) - ranks.indexOf(a.severity));
  for (const [key, one] of bySeverity) {
    const keys = fixing.get(`${packageKey(one)}\t${one.advisory}`) ?? [];
    const same = keys.filter(
      (each) => one.fixed === null || distinct.get(each)?.fixed === one.fixed,
    );
    for (const each of same) {
      const advisory = distinct.get(each);
      if (advisory !== undefined) distinct.set(each, withSeverityOf(advisory, one));
    }
    if (same.length > 0) distinct.delete(key);
  }
  return [...distinct.values()];
};
