import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Commands } from '../../src/core/coordinator/step.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import { clone } from '../model/world.ts';
import type { SimCore } from './sim-core.ts';

const tables = ['hosts', 'containers', 'grants', 'waves', 'pauses', 'freezes'] as const;
type Table = (typeof tables)[number];
/** Columns of waves and grants that are over stay; a leader that loads does not read the latter. */
type Rows = Record<Table, Map<string, object>>;

/** SQL: what was committed, and nothing else, outlives a server (R19). */
export interface SimStore {
  rows: Rows;
  outbox: Map<string, Send>;
  generation: number;
  epoch: number;
  leaseUntil: number;
  /** Server time that is given out (R14). */
  reservedUntil: number;
}

export const emptyStore = (): SimStore => ({
  rows: {
    ...{ hosts: new Map(), containers: new Map(), grants: new Map() },
    ...{ waves: new Map(), pauses: new Map(), freezes: new Map() },
  },
  outbox: new Map(),
  generation: 1,
  epoch: 0,
  leaseUntil: 0,
  reservedUntil: 0,
});

/** Write what a step names as changed; a change that it does not name is lost with its server. */
export const commit = (store: SimStore, fleet: Fleet, { dirty, sends, closes }: Commands): void => {
  for (const { table, key } of dirty) {
    if (table === 'meta') {
      store.generation = fleet.generation;
      continue;
    }
    const entity = fleet[table].get(key);
    if (entity === undefined) store.rows[table].delete(key);
    else store.rows[table].set(key, clone(table === 'hosts' ? { ...entity, issued: [] } : entity));
  }
  for (const send of sends) store.outbox.set(send.jobId, send);
  for (const jobId of closes) store.outbox.delete(jobId);
};

/** The fleet as a server finds it that begins to lead. Record numbers begin anew with its epoch (R11). */
export const load = (core: SimCore, store: SimStore, empty: Fleet): Fleet => {
  const { services, settings } = empty;
  const fleet = { ...core.emptyFleet(settings, store.generation, store.epoch), services };
  for (const table of tables)
    for (const [key, row] of store.rows[table])
      (fleet[table] as Map<string, object>).set(key, clone(row));
  for (const host of fleet.hosts.values())
    Object.assign(host, { recordN: 0, issued: [], greeted: false, needs: null });
  core.takeUpDoubt(fleet);
  return fleet;
};
