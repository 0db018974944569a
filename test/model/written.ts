import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Dirty } from '../../src/core/coordinator/turn.ts';
import { encode } from './encode.ts';
import { Violation } from './world.ts';

const tables = ['hosts', 'containers', 'grants', 'waves', 'pauses', 'freezes'] as const;

/** What a leader must find in the store: all but the record numbers, which begin anew with its epoch (R11). */
export const rowsOf = (fleet: Fleet): Map<string, string> => {
  const rows = new Map<string, string>();
  for (const table of tables)
    for (const [key, entity] of fleet[table])
      rows.set(
        `${table} ${key}`,
        encode(table === 'hosts' ? { ...entity, recordN: 0, issued: [], greeted: false } : entity),
      );
  return rows;
};

/** A step names each row that it changed; what it does not name is forgotten when the server dies (R19). */
export const checkWritten = (
  before: ReadonlyMap<string, string>,
  fleet: Fleet,
  dirty: Dirty[],
): ReadonlyMap<string, string> => {
  const after = rowsOf(fleet);
  const named = new Set(dirty.map(({ table, key }) => `${table} ${key}`));
  for (const key of new Set([...before.keys(), ...after.keys()]))
    if (before.get(key) !== after.get(key) && !named.has(key))
      throw new Violation('R19', `${key} is changed in memory and not written`);
  return after;
};
