import type { Kysely } from 'kysely';
import type { HostId } from '../core/ids.ts';
import { inTransaction } from './in-transaction.ts';
import type { StoreTables } from './open-store.ts';

export interface EnrolledHost {
  hostId: HostId;
  machineId: string;
  state: 'enrolled' | 'revoked';
  /** Public keys (DER, SPKI, base64) that are valid now: none for a revoked host. */
  publicKeys: { keyId: string; publicKey: string }[];
}

export interface NewKey {
  keyId: string;
  publicKey: string;
}

/**
 * Believe a host from now on, by this key alone: also the way back for one that was revoked, or that is
 * another machine now. `atMs` is the wall clock's.
 */
export const enrolHost = async (
  store: Kysely<StoreTables>,
  {
    hostId,
    machineId,
    key,
    atMs,
  }: { hostId: HostId; machineId: string; key: NewKey; atMs: number },
): Promise<void> =>
  inTransaction(store, async (db) => {
    const values = { machine_id: machineId, state: 'enrolled' as const, enrolled_at: atMs };
    await db
      .insertInto('enrolled_hosts')
      .values({ host_id: hostId, ...values })
      .onConflict((clash) => clash.column('host_id').doUpdateSet(values))
      .execute();
    await db.deleteFrom('host_keys').where('host_id', '=', hostId).execute();
    await db
      .insertInto('host_keys')
      .values({ host_id: hostId, key_id: key.keyId, public_key: key.publicKey, added_at: atMs })
      .execute();
  });

/**
 * Believe a second key of an enrolled host as well, so that it can be rotated (R1). Of three, the oldest goes.
 * Throws when the host is not enrolled.
 */
export const addHostKey = async (
  store: Kysely<StoreTables>,
  hostId: HostId,
  key: NewKey,
  atMs: number,
): Promise<void> =>
  inTransaction(store, async (db) => {
    const host = await db
      .selectFrom('enrolled_hosts')
      .select('state')
      .where('host_id', '=', hostId)
      .executeTakeFirst();
    if (host?.state !== 'enrolled')
      throw new Error(`host ${hostId} is not enrolled: groundswell host add ${hostId}`);
    await db
      .insertInto('host_keys')
      .values({ host_id: hostId, key_id: key.keyId, public_key: key.publicKey, added_at: atMs })
      .onConflict((clash) => clash.columns(['host_id', 'key_id']).doNothing())
      .execute();
    const keys = await db
      .selectFrom('host_keys')
      .select('key_id')
      .where('host_id', '=', hostId)
      .orderBy('added_at', 'desc')
      .execute();
    const surplus = keys
      .map(({ key_id }) => key_id)
      .filter((keyId) => keyId !== key.keyId)
      .slice(1);
    if (surplus.length > 0)
      await db
        .deleteFrom('host_keys')
        .where('host_id', '=', hostId)
        .where('key_id', 'in', surplus)
        .execute();
  });

/** Believe nothing that a host says any more. Answers whether it was enrolled. */
export const revokeHost = async (store: Kysely<StoreTables>, hostId: HostId): Promise<boolean> =>
  inTransaction(store, async (db) => {
    await db.deleteFrom('host_keys').where('host_id', '=', hostId).execute();
    const revoked = await db
      .updateTable('enrolled_hosts')
      .set({ state: 'revoked' })
      .where('host_id', '=', hostId)
      .where('state', '=', 'enrolled')
      .executeTakeFirst();
    return revoked.numUpdatedRows === 1n;
  });

/** Forget a host and its keys altogether. Answers whether it was known. */
export const forgetHost = async (store: Kysely<StoreTables>, hostId: HostId): Promise<boolean> =>
  inTransaction(store, async (db) => {
    await db.deleteFrom('host_keys').where('host_id', '=', hostId).execute();
    const gone = await db
      .deleteFrom('enrolled_hosts')
      .where('host_id', '=', hostId)
      .executeTakeFirst();
    return gone.numDeletedRows === 1n;
  });

/** Every host that was ever enrolled and is not forgotten, with its valid keys. */
export const enrolledHosts = async (db: Kysely<StoreTables>): Promise<EnrolledHost[]> => {
  const keys = await db.selectFrom('host_keys').selectAll().orderBy('added_at').execute();
  const hosts = await db.selectFrom('enrolled_hosts').selectAll().orderBy('host_id').execute();
  return hosts.map(({ host_id, machine_id, state }) => ({
    hostId: host_id,
    machineId: machine_id,
    state,
    publicKeys: keys
      .filter((key) => key.host_id === host_id)
      .map((key) => ({ keyId: key.key_id, publicKey: key.public_key })),
  }));
};
