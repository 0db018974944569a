import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import { errorText } from '../../../core/error-text.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { jsonMembers } from '../json-members.ts';
import { problemOf } from '../problem-of.ts';
import type { Collection } from './collect.ts';
import { newCollection } from './collect.ts';

/** `https://security-tracker.debian.org/tracker/data/json` is saved as `json` by those who do not name it. */
const isTracker = (name: string): boolean => /(^|[/.])json(\.(gz|xz|bz2|zst))?$/i.test(name);

const packagesIn = function* (
  collection: Collection,
  file: string,
  member: string,
): Generator<FeedProblem> {
  let packages: object;
  try {
    packages = JSON.parse(`{${member}}`) as object;
  } catch (error) {
    yield { file, record: member.trim().slice(0, 80), field: '', reason: errorText(error) };
    return;
  }
  for (const [name, issues] of Object.entries(packages)) yield* collection.add(file, name, issues);
};

/**
 * The security tracker's JSON: of each source package its issues, with their state in each release. One advisory for each
 * issue, by its CVE or `TEMP-` id (those vanish when a CVE is assigned); it names no DSA and no dates. The document has a
 * hundred megabytes and is read package by package; what is said of an issue is held until its end.
 */
export const debianTracker: AdvisorySource = {
  name: 'debian-tracker',
  parse: async function* (files) {
    const collection = newCollection();
    for await (const { name: file, read } of files) {
      if (!isTracker(file)) continue;
      try {
        for await (const member of jsonMembers(read())) {
          for (const problem of packagesIn(collection, file, member))
            yield { kind: 'problem', problem };
        }
      } catch (error) {
        yield problemOf(file, error);
      }
    }
    for (const advisory of collection.advisories()) yield { kind: 'advisory', advisory };
  },
};
