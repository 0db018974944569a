import type { Host } from '../../../src/core/coordinator/fleet.ts';
import { takeUpDoubt } from '../../../src/core/coordinator/silence.ts';
import type { Scene } from './fleet-scene.ts';

export const hostOf = (here: Scene, id: string): Host => {
  const host = here.fleet.hosts.get(id);
  if (host === undefined) throw new Error(`no host ${id}`);
  return host;
};

/** What a server finds that starts over what is stored; of a backup, or of what the last one left. */
export const restart = (here: Scene): void => {
  here.fleet.epoch += 1;
  here.fleet.raised = false;
  takeUpDoubt(here.fleet);
  for (const host of here.fleet.hosts.values())
    Object.assign(host, { recordN: 0, issued: [], greeted: false });
  here.step({ kind: 'tick' });
};

/** The next report of a host of which the store has forgotten the last ones. */
export const gap = (here: Scene, hostId: string, lost = 3): { seq: number; acked: number } => {
  const acked = hostOf(here, hostId).ackedSeq + lost;
  return { seq: acked + 1, acked };
};
