import type { EndReader } from '../packages/finish-upgrade.ts';
import { aptFailure, nameFailure } from './name-failure.ts';
import { parseDpkgStatus, presentPackages } from './parse-dpkg-status.ts';
import { readDpkgDatabase } from './read-dpkg-database.ts';

/** How the end of an apt transaction is read: from a copy of dpkg's status file, and from what apt said. */
export const aptEndReader = ({ root }: { root: string }): EndReader => ({
  readAfter: async (copy, path) =>
    presentPackages(
      copy === null ? (await readDpkgDatabase(root)).packages : parseDpkgStatus(copy, path),
    ),
  failureOf: (tail, exitCode) => {
    const failure = nameFailure(tail, exitCode ?? 0);
    if (exitCode !== null || failure.kind !== 'other') return failure;
    return aptFailure('killed', 'apt was killed before it had finished');
  },
});
