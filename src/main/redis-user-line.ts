import { hostIdOf } from '../config/host-id.ts';
import { redisUserRules } from '../jobs/redis-user.ts';
import { readConfig } from './read-config.ts';

/**
 * `groundswell agent --redis-user`: a line for Redis's ACL file (`aclfile` in redis.conf) with the least rights
 * that this host's agent can work with. Whoever puts it there adds the password.
 */
export const redisUserLine = async (file: string | undefined): Promise<string> => {
  const hostId = hostIdOf(await readConfig(file));
  return `user ${hostId} ${redisUserRules(hostId).join(' ')}\n`;
};
