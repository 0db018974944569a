import type { ParsedRecord } from '../../../core/advisories/advisory.ts';
import { errorText } from '../../../core/error-text.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { jsonMembers } from '../json-members.ts';
import { problemOf } from '../problem-of.ts';
import { wantedFiles } from '../wanted-files.ts';
import { parsePackage } from './parse-package.ts';

/** `https://security-tracker.debian.org/tracker/data/json` is saved as `json` by those who do not name it. */
const isTracker = (name: string): boolean => /(^|[/.])json$/i.test(name);

const packagesIn = function* (file: string, member: string): Generator<ParsedRecord> {
  let packages: object;
  try {
    packages = JSON.parse(`{${member}}`) as object;
  } catch (error) {
    const record = member.trim().slice(0, 80);
    yield { kind: 'problem', problem: { file, record, field: '', reason: errorText(error) } };
    return;
  }
  for (const [name, issues] of Object.entries(packages)) yield* parsePackage(file, name, issues);
};

/**
 * The security tracker's JSON: of each source package its issues, with their state in each release. They go by their CVE, or
 * by a `TEMP-` id that vanishes when a CVE is assigned; one of several packages comes once for each. No DSA is named, and no
 * date. The document of some hundred megabytes is read package by package.
 */
export const debianTracker: AdvisorySource = {
  name: 'debian-tracker',
  parse: async function* (files) {
    for await (const { name: file, read } of wantedFiles(files, isTracker)) {
      try {
        for await (const member of jsonMembers(read())) yield* packagesIn(file, member);
      } catch (error) {
        yield problemOf(file, error);
      }
    }
  },
};
