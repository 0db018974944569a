import { writeTrustedKeys } from '../jobs/key-files.ts';
import { importPublicKey } from '../jobs/signing-key.ts';
import type { Server } from '../workers/control/server.ts';
import { readKeyCard, trustedKeysPath } from './key-card.ts';
import type { CardSource } from './key-card.ts';

/** What enrolling needs of a server. */
export interface OwnServer {
  hostKeys: Pick<Server['hostKeys'], 'keysOf' | 'machineOf' | 'enrol'>;
  changedKeys: Server['changedKeys'];
  coordinator: Pick<Server['coordinator'], 'fleet' | 'act'>;
}

/**
 * The host of an all-in-one process is enrolled without asking: both halves are this very process. Throws where
 * another machine bears its name, or the coordinator does not take it.
 */
export const enrolOwnHost = async (
  server: OwnServer,
  publicKeys: string[],
  config: CardSource,
): Promise<void> => {
  const card = await readKeyCard(config);
  await writeTrustedKeys(trustedKeysPath(config.dataDirectory), publicKeys);
  // Also after its key was rotated or made anew: nobody else could tell this server.
  const { id } = importPublicKey(card.publicKey);
  if (!server.hostKeys.keysOf(card.hostId).some((known) => known.id === id)) {
    const machine = server.hostKeys.machineOf(card.hostId);
    if (machine !== null && machine !== card.machineId)
      throw new Error(
        `host ${card.hostId} is enrolled here as another machine: give this one another name (agent.hostId in the configuration)`,
      );
    await server.hostKeys.enrol(card.hostId, card.machineId, card.publicKey);
    await server.changedKeys('groundswell up', card.hostId, `enrolled key ${id}`);
  }
  if (!server.coordinator.fleet().hosts.has(card.hostId)) {
    const answer = await server.coordinator.act('groundswell up', {
      action: 'host-add',
      hostId: card.hostId,
      zone: config.agent.zone,
      cap: config.agent.hostCap,
    });
    if (!answer.ok) throw new Error(`cannot enrol this host: ${answer.reason}`);
  }
};
