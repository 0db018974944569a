import { z } from 'zod';
import { cveIds } from '../cve-ids.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { isoTime } from '../iso-time.ts';
import { jsonElements } from '../json-elements.ts';
import { asAdvisory, fieldProblems, problem } from '../parsed-record.ts';

const Entry = z.object({
  cveID: z.string().regex(/^CVE-\d{4}-\d{4,}$/, 'no id of a vulnerability'),
  vulnerabilityName: z.string().max(2000).nullish(),
  dateAdded: z.string().nullish(),
});

/**
 * A catalogue of vulnerabilities that are known to be exploited, in the form of CISA's
 * (https://www.cisa.gov/known-exploited-vulnerabilities-catalog). Each becomes an advisory that concerns no package, and
 * makes those with its CVE urgent.
 */
export const kev: AdvisorySource = {
  name: 'kev',
  parse: async function* (files) {
    for await (const file of files)
      for await (const element of jsonElements(file.read(), ['vulnerabilities'])) {
        if (element.kind !== 'value') {
          yield problem(
            file.name,
            element.kind === 'bad' ? `vulnerability ${element.number}` : '',
            '',
            element.reason,
          );
          continue;
        }
        const read = Entry.safeParse(element.value);
        if (!read.success) {
          yield* fieldProblems(file.name, `vulnerability ${element.number}`, read.error);
          continue;
        }
        const { cveID, vulnerabilityName, dateAdded } = read.data;
        yield* asAdvisory(file.name, {
          ...{ feed: 'kev', id: cveID, kind: 'security', title: vulnerabilityName ?? cveID },
          ...{ cves: cveIds([cveID]), published: isoTime(dateAdded ?? ''), modified: null },
          ...{ withdrawn: false, severity: 'unknown', vendorSeverity: null, affected: [] },
        });
      }
  },
};
