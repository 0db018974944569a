import type { Answer } from '../../core/coordinator/operator.ts';
import type { HostId } from '../../core/ids.ts';
import type { Coordinator } from './coordinate.ts';
import type { HostKeys } from './host-keys.ts';

/** What removing a host needs of the server. */
export interface RemovingServer {
  coordinator: Pick<Coordinator, 'act' | 'fleet'>;
  hostKeys: Pick<HostKeys, 'forget'>;
  changedKeys: (actor: string, hostId: HostId, what: string) => Promise<Answer>;
  /** Never fails: what is left in Redis is of no consequence. */
  forgetHost: (hostId: HostId) => Promise<void>;
}

/**
 * Forget a host: first its place in the fleet, if core lets it go, then its keys. A crash between the two
 * leaves keys of a host that is in no fleet; asked once more, they go too.
 */
export const removeHost = async (
  { coordinator, hostKeys, changedKeys, forgetHost }: RemovingServer,
  actor: string,
  hostId: HostId,
): Promise<Answer> => {
  const answer = await coordinator.act(actor, { action: 'host-remove', hostId });
  if (coordinator.fleet().hosts.has(hostId) || !(await hostKeys.forget(hostId))) return answer;
  const keys = await changedKeys(actor, hostId, 'forgot every key');
  await forgetHost(hostId);
  return answer.ok ? answer : keys;
};
