import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Dirty } from '../../src/core/coordinator/turn.ts';
import { encode } from './encode.ts';
import { Violation } from './world.ts';

const tables = ['hosts', 'containers', 'grants', 'waves', 'pauses', 'freezes'] as const;

/** All but the record numbers, which begin anew with a leader's epoch (R11). */
const rowOf = (table: (typeof tables)[number], entity: object): string =>
  encode(table === 'hosts' ? { ...entity, recordN: 0, issued: [], greeted: false } : entity);

/** What a leader must find in the store. */
export const rowsOf = (fleet: Fleet): Map<string, string> => {
  const rows = new Map<string, string>();
  for (const table of tables)
    for (const [key, entity] of fleet[table]) rows.set(`${table} ${key}`, rowOf(table, entity));
  return rows;
};

/** A step names each row that it changed; what it does not name is forgotten when the server dies (R19). */
export const checkWritten = (
  before: ReadonlyMap<string, string>,
  fleet: Fleet,
  dirty: Dirty[],
): void => {
  const named = new Set(dirty.map(({ table, key }) => `${table} ${key}`));
  const isWritten = (name: string, row: string | undefined): void => {
    if (before.get(name) !== row)
      throw new Violation('R19', `${name} is changed in memory and not written`);
  };
  const there = new Set<string>();
  for (const table of tables)
    for (const [key, entity] of fleet[table]) {
      const name = `${table} ${key}`;
      there.add(name);
      if (!named.has(name)) isWritten(name, rowOf(table, entity));
    }
  for (const name of before.keys())
    if (!there.has(name) && !named.has(name)) isWritten(name, undefined);
};
