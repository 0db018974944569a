import { ApiError } from '../api/client.ts';
import type { AdvisoryDetail, AffectedPackage } from '../core/advisories/advisory-views.ts';
import type { WantedPackage } from '../core/messages.ts';

/** A package that lacks the fix, and the version with it that the host's own repositories offer. */
interface Lacking {
  name: string;
  target: string;
}

/** Throws where no upgrade brings the fix to this host. */
const lackingOn = (host: string, id: string, affected: readonly AffectedPackage[]): Lacking[] => {
  const see = `see: groundswell advisory ${id}`;
  const lacking = new Map<string, Lacking>();
  let reboots = false;
  for (const one of affected) {
    if (one.host !== host || one.state !== 'pending') continue;
    const { package: name, target } = one;
    if (one.reboot) reboots = true;
    else if (target === null)
      throw new ApiError(
        `the repositories of ${host} do not have the fix of ${id} for ${name} yet; ${see}`,
        null,
      );
    else lacking.set(name, { name, target });
  }
  if (lacking.size > 0) return [...lacking.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  throw new ApiError(
    reboots
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
