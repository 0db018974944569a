import { Migrator } from 'kysely';
import type { Kysely, Migration } from 'kysely';
import { errorText } from '../core/error-text.ts';
import { infrastructureMigration } from './migrations/001-infrastructure.ts';
import { fleetMigration } from './migrations/002-fleet.ts';
import { waveDatesMigration } from './migrations/003-wave-dates.ts';
import { advisoriesMigration } from './migrations/004-advisories.ts';
import { securitySuitesMigration } from './migrations/005-security-suites.ts';
import { advisoryNamesMigration } from './migrations/006-advisory-names.ts';
import { wavePartsMigration } from './migrations/007-wave-parts.ts';
import { checkpointsMigration } from './migrations/008-checkpoints.ts';
import { restoredMigration } from './migrations/009-restored.ts';
import { recordedSettingsMigration } from './migrations/010-recorded-settings.ts';
import { auditBlocksMigration } from './migrations/011-audit-blocks.ts';

/** All migrations in order. One that was released is never changed: write a new one. */
const migrations: Record<string, Migration> = {
  '001-infrastructure': infrastructureMigration,
  '002-fleet': fleetMigration,
  '003-wave-dates': waveDatesMigration,
  '004-advisories': advisoriesMigration,
  '005-security-suites': securitySuitesMigration,
  '006-advisory-names': advisoryNamesMigration,
  '007-wave-parts': wavePartsMigration,
  '008-checkpoints': checkpointsMigration,
  '009-restored': restoredMigration,
  '010-recorded-settings': recordedSettingsMigration,
  '011-audit-blocks': auditBlocksMigration,
};

/** Names of all migrations that this program knows, in order. */
export const knownMigrations: readonly string[] = Object.keys(migrations);

/**
 * Bring the schema to the present version; does nothing when it is there. Throws when a migration fails
 * (what it had done is undone), or when the database was made by a newer program.
 */
export const migrateToLatest = async <Tables>(db: Kysely<Tables>): Promise<void> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find(({ status }) => status === 'Error')?.migrationName;
  throw new Error(
    failed === undefined
      ? `the store cannot be brought to this program's schema: ${errorText(error)}`
      : `migration ${failed} of the store failed and was undone`,
    { cause: error },
  );
};
