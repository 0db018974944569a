import { hostname } from 'node:os';
import { HostId } from '../core/ids.ts';
import type { Configuration } from './schema.ts';

/** The configured host id, else the host's own name. Throws where neither is one. */
export const hostIdOf = (
  { agent }: Pick<Configuration, 'agent'>,
  name: string = hostname(),
): HostId => {
  if (agent.hostId !== undefined) return agent.hostId;
  const parsed = HostId.safeParse(name.toLowerCase());
  if (!parsed.success)
    throw new Error(
      `the host's name "${name}" is no host id (a-z, 0-9, dot, dash; at most 63): set agent.hostId in the configuration`,
    );
  return parsed.data;
};
