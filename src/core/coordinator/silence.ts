import type { HostId } from '../ids.ts';
import { barred } from './barred.ts';
import { generationOf } from './fleet.ts';
import type { Fleet, Grant, Host } from './fleet.ts';

/** R17: not heard for longer than the stale limit. Nothing is known of it then, and nothing begins there. */
export const isSilent = (
  { settings }: Fleet,
  { heardAt }: Pick<Host, 'heardAt'>,
  now: number,
): boolean => heardAt === null || now - heardAt > settings.staleLimitMs;

/** The same in words, with what ends it. */
export const silenceText = (hostId: HostId): string =>
  `host ${hostId} is silent: see to its agent; if its machine is off: groundswell host exclude ${hostId} --fenced`;

/**
 * R14, R16: nothing was heard since this leader began. What the store holds of it may be older than it looks, since the
 * store may have been restored from a backup: its first word tells.
 */
export const awaitsWord = (fleet: Fleet, host: Host, now: number): boolean =>
  !host.greeted && !isSilent(fleet, host, now);

/** Hosts that take part and know more than the store, which is not proved for all (R16). */
export const doubters = ({ provers, hosts }: Fleet): Host[] =>
  provers.flatMap((id) => {
    const host = hosts.get(id);
    return host !== undefined && host.knowsMore && barred(host) === null ? [host] : [];
  });

/** Another leader has found them. */
export const takeUpDoubt = (fleet: Fleet): void => {
  fleet.provers = [...fleet.hosts.values()].flatMap(({ id, knowsMore }) => (knowsMore ? [id] : []));
  fleet.inDoubt = fleet.provers.length > 0;
};

/** Something that it said under this leader was applied: had it known more than the store, that would have told. */
const hasSpoken = (fleet: Fleet, host: Host): boolean =>
  host.greeted || (host.echo?.[0] === generationOf(fleet, host) && host.echo[1] === fleet.epoch);

/**
 * R16: a host knows more than the store, and others have not been heard yet: whether it was restored is not known. Of those
 * that are silent some may be off; of all of them nobody can say so.
 */
export const isInDoubt = (fleet: Fleet, now: number): boolean => {
  if (doubters(fleet).length === 0) return false;
  const others = [...fleet.hosts.values()].filter(
    (host) => barred(host) === null && host.incarnation !== null && !host.knowsMore,
  );
  return (
    !others.some((host) => hasSpoken(fleet, host)) ||
    others.some((host) => !hasSpoken(fleet, host) && !isSilent(fleet, host, now))
  );
};

/** Why nothing may begin on a host, or go by what is known of it; null: it was heard. */
export const unheardBecause = (fleet: Fleet, host: Host, now: number): string | null => {
  if (awaitsWord(fleet, host, now))
    return `host ${host.id} was not heard yet since the server started: it reports as soon as it hears of that`;
  if (isSilent(fleet, host, now)) return silenceText(host.id);
  return fleet.inDoubt
    ? `host ${doubters(fleet)
        .map(({ id }) => id)
        .join(
          ', ',
        )} knows more than the store does: the others are waited for (those that are off: groundswell host exclude <host> --fenced)`
    : null;
};

/** What keeps a grant that is open from going on, as far as is known (L4); null: nothing. */
export const grantWaits = (fleet: Fleet, grant: Grant, now: number): string | null => {
  const host = fleet.hosts.get(grant.host);
  return host !== undefined && isSilent(fleet, host, now) ? silenceText(host.id) : grant.waiting;
};
