import type { Kysely } from 'kysely';
import { SettingsRecord } from '../core/settings-record.ts';
import type { InfrastructureTables } from './infrastructure-tables.ts';

/** The settings that the audit trail has last; null: none yet. */
export const loadRecordedSettings = async (
  db: Kysely<InfrastructureTables>,
): Promise<SettingsRecord | null> => {
  const row = await db.selectFrom('recorded_settings').select('doc').executeTakeFirst();
  return row === undefined ? null : SettingsRecord.parse(JSON.parse(row.doc));
};

/** To be written in the transaction of the record that tells what changed. */
export const saveRecordedSettings = async (
  db: Kysely<InfrastructureTables>,
  settings: SettingsRecord,
): Promise<void> => {
  const doc = JSON.stringify(settings);
  await db
    .insertInto('recorded_settings')
    .values({ id: 1, doc })
    .onConflict((clash) => clash.column('id').doUpdateSet({ doc }))
    .execute();
};
