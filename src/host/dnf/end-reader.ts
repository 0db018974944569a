import type { EndReader } from '../packages/finish-upgrade.ts';
import { dnfFailure, nameFailure } from './name-failure.ts';
import { parseRpmPackages, toInstalled } from './parse-rpm-packages.ts';
import { rpmReader } from './read-rpm-database.ts';
import type { RpmPlace } from './rpm-place.ts';

/** How the end of a dnf transaction is read: from a list of rpm's database, and from what dnf said. */
export const dnfEndReader = (place: RpmPlace): EndReader => ({
  readAfter: async (copy) =>
    toInstalled(copy === null ? await rpmReader()(place) : parseRpmPackages(copy)),
  failureOf: (tail, exitCode) => {
    const failure = nameFailure(tail, exitCode ?? 0);
    // A shell says 128 and the signal's number of what it ran.
    const killed = exitCode === null || exitCode > 128;
    if (!killed || failure.kind !== 'other') return failure;
    return dnfFailure('killed', 'dnf was killed before it had finished');
  },
});
