import type { Kysely } from 'kysely';
import type { Fleet, Wave, WaveMember, WaveUpgrade } from '../core/coordinator/fleet.ts';
import { decodeDocument, encodeDocument } from './document.ts';
import type { FleetTables } from './fleet-tables.ts';

type Part = 'members' | 'upgrades';
type Entry = WaveMember | WaveUpgrade;
const parts: readonly Part[] = ['members', 'upgrades'];

/** What the store has of one part of a wave. */
interface Stored {
  entries: Map<string, Entry>;
  /** Positions that were given; entries keep their order. */
  given: number;
}

/** By the map in memory: a fleet that was loaded anew has others. */
const known = new WeakMap<ReadonlyMap<string, Entry>, Stored>();

const storedOf = (entries: ReadonlyMap<string, Entry>): Stored => {
  const stored = known.get(entries) ?? { entries: new Map<string, Entry>(), given: 0 };
  known.set(entries, stored);
  return stored;
};

/** Why an upgrade waits changes with each other one of its wave, and is found out anew every second: it is not stored. */
const storable = (entry: Entry): Entry =>
  'packages' in entry && entry.state === 'pending' && entry.reason !== ''
    ? { ...entry, reason: '' }
    : entry;

/** What entries have is flat, or is never changed in place. */
const isSame = (a: Entry | undefined, b: Entry): boolean => {
  if (a === undefined) return false;
  const keys = Object.keys(b) as (keyof Entry)[];
  return Object.keys(a).length === keys.length && keys.every((key) => a[key] === b[key]);
};

/** Of lists that hosts share, so that each is written out once. */
const listTexts = new WeakMap<WaveUpgrade['packages'], string>();

const encodeEntry = (entry: Entry): string => {
  if (!('packages' in entry)) return encodeDocument(entry);
  const { packages, ...rest } = entry;
  const list = listTexts.get(packages) ?? encodeDocument(packages);
  listTexts.set(packages, list);
  return `${encodeDocument(rest).slice(0, -1)},"packages":${list}}`;
};

const perStatement = 100;

/** Write what is new or another of a wave's members and upgrades: of thousands, mostly one. */
export const saveWaveParts = async (db: Kysely<FleetTables>, wave: Wave): Promise<void> => {
  for (const part of parts) {
    const now: ReadonlyMap<string, Entry> = wave[part];
    const stored = storedOf(now);
    const rows: FleetTables['fleet_wave_parts'][] = [];
    for (const [key, entry] of now) {
      const written = storable(entry);
      if (isSame(stored.entries.get(key), written)) continue;
      stored.given += 1;
      const position = stored.given;
      rows.push({ wave_id: wave.id, part, key, position, doc: encodeEntry(written) });
      stored.entries.set(key, { ...written });
    }
    for (let from = 0; from < rows.length; from += perStatement)
      await db
        .insertInto('fleet_wave_parts')
        .values(rows.slice(from, from + perStatement))
        .onConflict((clash) =>
          clash
            .columns(['wave_id', 'part', 'key'])
            .doUpdateSet((row) => ({ doc: row.ref('excluded.doc') })),
        )
        .execute();
    if (stored.entries.size === now.size) continue;
    const gone = [...stored.entries.keys()].filter((key) => !now.has(key));
    for (const key of gone) {
      stored.entries.delete(key);
      await db
        .deleteFrom('fleet_wave_parts')
        .where('wave_id', '=', wave.id)
        .where('part', '=', part)
        .where('key', '=', key)
        .execute();
    }
  }
};

/** Hosts of a wave mostly get the same. */
const shareLists = (upgrades: Wave['upgrades'], lists: Map<string, WaveUpgrade['packages']>) => {
  for (const upgrade of upgrades.values()) {
    const text = JSON.stringify(upgrade.packages);
    upgrade.packages = lists.get(text) ?? upgrade.packages;
    lists.set(text, upgrade.packages);
  }
};

/** Give the waves of a fleet what the store has of their members and upgrades. */
export const loadWaveParts = async (
  db: Kysely<FleetTables>,
  { waves }: Pick<Fleet, 'waves'>,
): Promise<void> => {
  const lists = new Map<string, WaveUpgrade['packages']>();
  for (const wave of waves.values()) {
    const rows = await db
      .selectFrom('fleet_wave_parts')
      .select(['part', 'key', 'position', 'doc'])
      .where('wave_id', '=', wave.id)
      .orderBy('position')
      .execute();
    for (const { part, key, doc } of rows)
      if (part === 'upgrades') wave.upgrades.set(key, decodeDocument(doc) as WaveUpgrade);
      else wave.members.set(key, decodeDocument(doc) as WaveMember);
    shareLists(wave.upgrades, lists);
    for (const { part, key, position } of rows) {
      const stored = storedOf(wave[part]);
      const entry = wave[part].get(key);
      if (entry !== undefined) stored.entries.set(key, { ...entry });
      stored.given = Math.max(stored.given, position);
    }
  }
};
