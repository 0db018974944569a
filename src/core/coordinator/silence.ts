import type { HostId } from '../ids.ts';
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

/** What keeps a grant that is open from going on, as far as is known (L4); null: nothing. */
export const grantWaits = (fleet: Fleet, grant: Grant, now: number): string | null => {
  const host = fleet.hosts.get(grant.host);
  return host !== undefined && isSilent(fleet, host, now) ? silenceText(host.id) : grant.waiting;
};
