import type { HostId } from '../../core/ids.ts';
import type { Party } from '../../jobs/envelope.ts';
import { importPublicKey } from '../../jobs/signing-key.ts';
import type { VerifyKey } from '../../jobs/signing-key.ts';
import {
  addHostKey,
  enrolHost,
  enrolledHosts,
  forgetHost,
  revokeHost,
} from '../../store/enrolment.ts';
import type { Store } from '../../store/open-store.ts';

export interface HostKeys {
  /** Keys whose signature is believed now: none for an unknown or revoked host (R7). */
  keysOf: (from: Party) => readonly VerifyKey[];
  /** Believe a host by this key alone. Throws when it is no Ed25519 key. */
  enrol: (hostId: HostId, machineId: string, publicKey: string) => Promise<void>;
  /** Believe a second key as well; of three the oldest goes (R1). */
  addKey: (hostId: HostId, publicKey: string) => Promise<void>;
  /** Believe nothing of it any more; answers whether it was enrolled. */
  revoke: (hostId: HostId) => Promise<boolean>;
  /** Forget it altogether; answers whether it was known, enrolled or revoked. */
  forget: (hostId: HostId) => Promise<boolean>;
  isEnrolled: (hostId: HostId) => boolean;
  /** The machine that an enrolled host is; null: it is not enrolled. */
  machineOf: (hostId: HostId) => string | null;
}

/** The enrolled hosts' keys, kept in memory beside the store that they are written to. */
export const openHostKeys = async (store: Store, wallMs: () => number): Promise<HostKeys> => {
  const known = new Map<string, VerifyKey[]>();
  const machines = new Map<HostId, string>();
  const read = async (): Promise<void> => {
    const hosts = (await enrolledHosts(store.db))
      .filter(({ state }) => state === 'enrolled')
      .map(({ publicKeys, ...host }) => ({
        ...host,
        keys: publicKeys.map(({ publicKey }) => importPublicKey(publicKey)),
      }));
    // Not before all are read: meanwhile, and where that fails, those of before are believed.
    known.clear();
    machines.clear();
    for (const { hostId, machineId, keys } of hosts) {
      known.set(hostId, keys);
      machines.set(hostId, machineId);
    }
  };
  await read();
  return {
    keysOf: (from) => known.get(from) ?? [],
    isEnrolled: (hostId) => known.has(hostId),
    machineOf: (hostId) => machines.get(hostId) ?? null,
    enrol: async (hostId, machineId, publicKey) => {
      const { id } = importPublicKey(publicKey);
      await enrolHost(store.db, {
        hostId,
        machineId,
        key: { keyId: id, publicKey },
        atMs: wallMs(),
      });
      await read();
    },
    addKey: async (hostId, publicKey) => {
      const { id } = importPublicKey(publicKey);
      await addHostKey(store.db, hostId, { keyId: id, publicKey }, wallMs());
      await read();
    },
    revoke: async (hostId) => {
      const was = await revokeHost(store.db, hostId);
      await read();
      return was;
    },
    forget: async (hostId) => {
      const was = await forgetHost(store.db, hostId);
      await read();
      return was;
    },
  };
};
