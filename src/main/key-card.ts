import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Configuration } from '../config/schema.ts';
import type { OwnKeys } from '../jobs/key-files.ts';
import { loadOrMakeKeys } from '../jobs/key-files.ts';
import { exportPublicKey, verifyKeyOf } from '../jobs/signing-key.ts';
import type { SigningKey } from '../jobs/signing-key.ts';
import { hostIdOf } from '../config/host-id.ts';
import { readMachineId } from './machine-id.ts';

/** What a server needs to believe an agent: `groundswell host enrol --key`, or `host add --key`. */
export interface KeyCard {
  hostId: string;
  machineId: string;
  publicKey: string;
  /** The password with which this host comes to Redis, as a user of its own name; null: it does not, or with a short one. */
  redisPasswordSha256: string | null;
}

/** What of the configuration stands in a card. */
export type CardSource = Pick<Configuration, 'agent' | 'dataDirectory' | 'redis'>;

/** Redis keeps passwords as plain hashes, and a card is no secret: what could be guessed from its hash is not told. */
const fewestCharacters = 20;

/** Of the configuration's `redis.url`; for ACL SETUSER. */
export const redisPasswordSha256 = (
  hostId: string,
  { redis: { url } }: Pick<Configuration, 'redis'>,
): string | null => {
  if (url === undefined) return null;
  const { username, password } = new URL(url);
  const plain = decodeURIComponent(password);
  return decodeURIComponent(username) === hostId && plain.length >= fewestCharacters
    ? createHash('sha256').update(plain).digest('hex')
    : null;
};

export const agentDirectory = (dataDirectory: string): string => join(dataDirectory, 'agent');
export const agentKeysPath = (dataDirectory: string): string =>
  join(agentDirectory(dataDirectory), 'keys.json');
export const trustedKeysPath = (dataDirectory: string): string =>
  join(agentDirectory(dataDirectory), 'server-keys.json');

export const serverDirectory = (dataDirectory: string): string => join(dataDirectory, 'server');
export const serverKeysPath = (dataDirectory: string): string =>
  join(serverDirectory(dataDirectory), 'keys.json');

const publicHalf = (key: SigningKey): string => exportPublicKey(verifyKeyOf(key));

/** Public halves of a party's keys, the one that signs first. */
export const publicKeysOf = ({ active, other }: OwnKeys): string[] =>
  [active, ...(other === null ? [] : [other])].map(publicHalf);

/** The card of one key of this machine's agent. */
export const keyCardOf = (
  hostId: string,
  machineId: string,
  key: SigningKey,
  config: CardSource,
): KeyCard => ({
  hostId,
  machineId,
  publicKey: publicHalf(key),
  redisPasswordSha256: redisPasswordSha256(hostId, config),
});

/** The card of the key that this machine's agent signs with; made on first start. */
export const readKeyCard = async (config: CardSource): Promise<KeyCard> => {
  const machineId = await readMachineId();
  const { active } = await loadOrMakeKeys(agentKeysPath(config.dataDirectory), machineId);
  return keyCardOf(hostIdOf(config), machineId, active, config);
};
