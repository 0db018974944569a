import type { Kysely } from 'kysely';
import { z } from 'zod';
import { SecuritySuite } from '../core/advisories/security-suite.ts';
import type { NamingHosts } from '../core/advisories/named-suites.ts';
import type { StoreTables } from './open-store.ts';

/** What a host last reported of its packages. Times are ms since 1970 by the wall clock. */
export interface HostInventoryRow {
  hostId: string;
  hash: string;
  transaction: number;
  refreshedAt: number | null;
  refreshProblem: string | null;
  reportedAt: number;
}

const Suites = z.array(SecuritySuite);

/** Keep a host's inventory; hosts that have the same share its document. Call it in the report's own transaction. */
export const saveInventory = async (
  db: Kysely<StoreTables>,
  { hostId, hash, transaction, refreshedAt, refreshProblem, reportedAt }: HostInventoryRow,
  doc: string,
  { platform, suites }: Pick<NamingHosts, 'platform' | 'suites'>,
): Promise<void> => {
  await db
    .insertInto('inventories')
    .values({ hash, doc })
    .onConflict((clash) => clash.column('hash').doNothing())
    .execute();
  const values = {
    ...{ hash, transaction_number: transaction, reported_at: reportedAt },
    ...{ refreshed_at: refreshedAt, refresh_problem: refreshProblem },
    ...{ platform, security_suites: JSON.stringify(suites) },
  };
  await db
    .insertInto('host_inventories')
    .values({ host_id: hostId, ...values })
    .onConflict((clash) => clash.column('host_id').doUpdateSet(values))
    .execute();
};

/** What hosts last reported; of all of them where none is named. */
export const hostInventories = async (
  db: Kysely<StoreTables>,
  hostIds: readonly string[] | 'all',
): Promise<HostInventoryRow[]> => {
  const of = hostIds === 'all' ? null : [...hostIds];
  const rows = await db
    .selectFrom('host_inventories')
    .selectAll()
    .$if(of !== null, (query) => query.where('host_id', 'in', of ?? []))
    .orderBy('host_id')
    .execute();
  return rows.map((row) => ({
    ...{ hostId: row.host_id, hash: row.hash, transaction: row.transaction_number },
    ...{ refreshedAt: row.refreshed_at, refreshProblem: row.refresh_problem },
    reportedAt: row.reported_at,
  }));
};

/** Which suites of security updates hosts name: those that name the same together. */
export const namingHosts = async (db: Kysely<StoreTables>): Promise<NamingHosts[]> => {
  const rows = await db
    .selectFrom('host_inventories')
    .select(['platform', 'security_suites'])
    .select(({ fn }) => [fn.countAll<number>().as('hosts'), fn.min('host_id').as('host')])
    .where('security_suites', '!=', '[]')
    .groupBy(['platform', 'security_suites'])
    .orderBy('host')
    .execute();
  return rows.map(({ platform, security_suites: suites, hosts, host }) => ({
    ...{ platform, hosts, host },
    suites: Suites.parse(JSON.parse(suites)),
  }));
};

/** The document of an inventory; null: no host has it any more. */
export const inventoryDocument = async (
  db: Kysely<StoreTables>,
  hash: string,
): Promise<string | null> =>
  (await db.selectFrom('inventories').select('doc').where('hash', '=', hash).executeTakeFirst())
    ?.doc ?? null;

/** Forget what a host that was removed had. */
export const forgetInventory = async (db: Kysely<StoreTables>, hostId: string): Promise<void> => {
  await db.deleteFrom('host_inventories').where('host_id', '=', hostId).execute();
};

/** Forget documents that no host has any more; answers how many. */
export const forgetUnusedInventories = async (db: Kysely<StoreTables>): Promise<number> => {
  const gone = await db
    .deleteFrom('inventories')
    .where('hash', 'not in', (query) => query.selectFrom('host_inventories').select('hash'))
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
};
