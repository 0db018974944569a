import { hostIdOf } from '../config/host-id.ts';
import { addKey, loadOrMakeKeys, switchKey, writeTrustedKeys } from '../jobs/key-files.ts';
import { importPublicKey } from '../jobs/signing-key.ts';
import {
  agentKeysPath,
  keyCardOf,
  publicKeysOf,
  readKeyCard,
  serverDirectory,
  serverKeysPath,
  trustedKeysPath,
} from './key-card.ts';
import type { KeyCard } from './key-card.ts';
import { refuseUnderWay } from '../store/backup/under-way.ts';
import { readMachineId } from './machine-id.ts';
import { makeDataDirectory, readConfig } from './read-config.ts';

/** One of them at a time: a rotation is three deeds with the other side's word between (R1). */
export interface KeyQuestion {
  showKey?: boolean;
  newKey?: boolean;
  switchKey?: boolean;
}

const onlyOne = ({ showKey, newKey, switchKey: change }: KeyQuestion): void => {
  if ([showKey, newKey, change].filter((asked) => asked === true).length > 1)
    throw new Error(
      '--show-key, --new-key and --switch-key are steps of their own: one at a time, with the other side told between them',
    );
};

const cardText = (card: KeyCard): string => `${JSON.stringify(card, null, 2)}\n`;

/**
 * `groundswell agent --show-key|--new-key|--switch-key`: the agent's half of a rotation (R1). Answers what to
 * print. A running agent goes on with the keys it started with. Throws where the key file cannot be used.
 */
export const agentKeys = async (file: string | undefined, asked: KeyQuestion): Promise<string> => {
  onlyOne(asked);
  const config = await readConfig(file);
  const hostId = hostIdOf(config);
  await makeDataDirectory(config);
  const path = agentKeysPath(config.dataDirectory);
  // Also makes the first key, and refuses that of another machine.
  const card = await readKeyCard(config);
  if (asked.newKey === true) {
    const { other } = await addKey(path);
    if (other === null) throw new Error(`${path} holds one key only after a second one was made`);
    return cardText(keyCardOf(hostId, await readMachineId(), other, config));
  }
  if (asked.switchKey === true) {
    const { active } = await switchKey(path);
    return `the agent of ${hostId} signs with key ${active.id} from its next start on: restart it\n`;
  }
  return cardText(card);
};

/**
 * `groundswell server --show-key|--new-key|--switch-key`: the server's half. Answers what to print: public
 * keys one a line, as `groundswell agent --trust` takes them.
 */
export const serverKeys = async (file: string | undefined, asked: KeyQuestion): Promise<string> => {
  onlyOne(asked);
  const config = await readConfig(file);
  await makeDataDirectory(config);
  // The present keys may be under another name for now.
  await refuseUnderWay(serverDirectory(config.dataDirectory));
  const path = serverKeysPath(config.dataDirectory);
  const present = await loadOrMakeKeys(path, null);
  if (asked.switchKey === true) {
    const { active } = await switchKey(path);
    return `the server signs with key ${active.id} from its next start on: restart it\n`;
  }
  const keys = asked.newKey === true ? await addKey(path) : present;
  return `${publicKeysOf(keys).join('\n')}\n`;
};

/**
 * `groundswell agent --trust`: believe a server by these public keys alone, from the agent's next start on.
 * Answers what to print. Throws on what is no key.
 */
export const trustServer = async (
  file: string | undefined,
  publicKeys: readonly string[],
): Promise<string> => {
  const config = await readConfig(file);
  if (publicKeys.length > 2)
    throw new Error(
      `a server has one public key, or two while they are rotated, not ${publicKeys.length}`,
    );
  const ids = publicKeys.map((key) => {
    try {
      return importPublicKey(key).id;
    } catch (error) {
      throw new Error(
        `${JSON.stringify(key)} is no public key: give what \`groundswell server --show-key\` prints on the server`,
        { cause: error },
      );
    }
  });
  await makeDataDirectory(config);
  await writeTrustedKeys(trustedKeysPath(config.dataDirectory), [...publicKeys]);
  return `the agent believes a server by key ${ids.join(' or ')} from its next start on\n`;
};
