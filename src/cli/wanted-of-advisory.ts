import { ApiError } from '../api/client.ts';
import type { AdvisoryDetail, AffectedPackage } from '../core/advisories/advisory-views.ts';
import type { WantedPackage } from '../core/messages.ts';

/** A package to be upgraded, and the version with the fix that the host's own repositories offer. */
interface Lacking {
  name: string;
  target: string;
}

/** What an installed package is to be upgraded by; several feeds may have the advisory, and one of them another version of the fix. */
const offeredTo = (
  host: string,
  rows: readonly AffectedPackage[],
  { id, see }: { id: string; see: string },
): Lacking => {
  for (const { target, from } of rows) {
    if (target === null || from === null) continue;
    if (from.held)
      throw new ApiError(`${from.package} is held on ${host}: release it there first`, null);
    return { name: from.package, target };
  }
  throw new ApiError(
    `the repositories of ${host} do not have the fix of ${id} for ${rows[0]?.package ?? ''} yet; ${see}`,
    null,
  );
};

/** Throws where no upgrade brings the fix to this host. */
const lackingOn = (host: string, id: string, affected: readonly AffectedPackage[]): Lacking[] => {
  const see = `see: groundswell advisory ${id}`;
  const here = affected.filter((one) => one.host === host);
  if (here.length === 0)
    throw new ApiError(
      `${host} has no package that ${id} concerns, or is not enrolled, or has not reported its packages; see: groundswell hosts`,
      null,
    );
  const pending = here.filter(({ state }) => state === 'pending');
  const byPackage = new Map<string, AffectedPackage[]>();
  for (const one of pending) {
    if (one.reboot) continue;
    const key = `${one.package}:${one.arch}`;
    byPackage.set(key, [...(byPackage.get(key) ?? []), one]);
  }
  const lacking = new Map<string, Lacking>();
  for (const rows of byPackage.values()) {
    const one = offeredTo(host, rows, { id, see });
    const known = lacking.get(one.name);
    if (known !== undefined && known.target !== one.target)
      throw new ApiError(
        `${host} is offered different versions of ${one.name} (${known.target}, ${one.target}): name what it is to get, such as ${one.name}:amd64=${known.target}`,
        null,
      );
    lacking.set(one.name, one);
  }
  if (lacking.size > 0) return [...lacking.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  throw new ApiError(
    pending.length > 0
      ? `${host} has the fix of ${id} installed, and an older kernel runs: reboot it`
      : `${host} lacks no fix of ${id} that there is; ${see}`,
    null,
  );
};

const textOf = (lacking: readonly Lacking[]): string =>
  lacking.map(({ name, target }) => `${name} ${target}`).join(', ');

/**
 * What to ask of these hosts so that they get the fixes of an advisory: each package that lacks its fix, in at least the
 * version that has it in their own repositories. Throws where that is nothing, or not there yet, and where it is not
 * the same for all: one upgrade asks the same of each.
 */
export const wantedOfAdvisory = (
  details: readonly AdvisoryDetail[],
  hosts: readonly string[],
): WantedPackage[] => {
  const id = details[0]?.id ?? '';
  const affected = details.flatMap((detail) => detail.affected);
  const byHost = hosts.map((host) => ({ host, lacking: lackingOn(host, id, affected) }));
  const [first, ...others] = byHost;
  if (first === undefined) return [];
  for (const { host, lacking } of others)
    if (textOf(lacking) !== textOf(first.lacking))
      throw new ApiError(
        `${first.host} and ${host} lack different fixes of ${id} (${textOf(first.lacking)}; ${textOf(lacking)}): upgrade one after the other`,
        null,
      );
  return first.lacking.map(({ name, target }) => ({ name, want: 'at-least', version: target }));
};
