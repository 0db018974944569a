import type { Kysely } from 'kysely';
import type { FleetTables } from './fleet-tables.ts';

/** Mean restart time of each service in ms, as learned from restarts that ended well. */
export const loadRestartTimes = async (
  db: Kysely<FleetTables>,
): Promise<Map<string, { meanMs: number; samples: number }>> => {
  const rows = await db.selectFrom('restart_times').selectAll().execute();
  return new Map(
    rows.map(({ service, mean_ms, samples }) => [service, { meanMs: mean_ms, samples }]),
  );
};

export const saveRestartTime = async (
  db: Kysely<FleetTables>,
  service: string,
  { meanMs, samples }: { meanMs: number; samples: number },
): Promise<void> => {
  const values = { mean_ms: meanMs, samples };
  await db
    .insertInto('restart_times')
    .values({ service, ...values })
    .onConflict((clash) => clash.column('service').doUpdateSet(values))
    .execute();
};
