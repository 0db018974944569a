import { join } from 'node:path';
import type { OwnKeys } from '../jobs/key-files.ts';
import { loadOrMakeKeys } from '../jobs/key-files.ts';
import { exportPublicKey, verifyKeyOf } from '../jobs/signing-key.ts';
import type { SigningKey } from '../jobs/signing-key.ts';
import { readMachineId } from './machine-id.ts';

/** What a server needs to believe an agent: `groundswell host add --key`. */
export interface KeyCard {
  hostId: string;
  machineId: string;
  publicKey: string;
}

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
export const keyCardOf = (hostId: string, machineId: string, key: SigningKey): KeyCard => ({
  hostId,
  machineId,
  publicKey: publicHalf(key),
});

/** The card of the key that this machine's agent signs with; made on first start. */
export const readKeyCard = async (dataDirectory: string, hostId: string): Promise<KeyCard> => {
  const machineId = await readMachineId();
  const { active } = await loadOrMakeKeys(agentKeysPath(dataDirectory), machineId);
  return keyCardOf(hostId, machineId, active);
};
