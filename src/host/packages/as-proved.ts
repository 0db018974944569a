import type { HostUpgrade } from '../../core/messages.ts';
import type { PackageFailure } from './failure.ts';

/** A version that came along on the first host of a wave: where the package changes here too, it comes to that one. */
export type ProvedVersion = NonNullable<HostUpgrade['proved']>[number];

export interface NotAsProved extends ProvedVersion {
  /** What the package manager would take. */
  offered: string;
}

/** Of `rows`, which a transaction would install, those that would come to another version than was proved. */
export const notAsProved = (
  rows: readonly { name: string; arch: string; to: string }[],
  proved: readonly ProvedVersion[],
): NotAsProved[] =>
  rows.flatMap(({ name, arch, to: offered }) => {
    const one = proved.find((other) => other.name === name && other.arch === arch);
    return one === undefined || one.version === offered ? [] : [{ ...one, offered }];
  });

/** `failure` is an `unknown-version` of the package manager in question. */
export const otherThanProved = (
  others: readonly NotAsProved[],
  failure: (message: string) => PackageFailure,
): PackageFailure => ({
  ...failure(
    others
      .map(
        ({ name, arch, version, offered }) =>
          `${name}:${arch} would come along in ${offered}, not in ${version}, in which it came along on the first host of the wave`,
      )
      .join('; '),
  ),
  missing: others.map(({ name, arch }) => ({ name, arch })),
});
