import type { HostId } from '../../core/ids.ts';

export interface RecordGate {
  /** Records of these hosts are about to be committed. */
  committing: (hosts: readonly HostId[]) => void;
  /** The host's newest record is in Redis. */
  published: (host: HostId) => void;
  mayPut: (host: HostId) => boolean;
}

/**
 * R12: no job overtakes the control record that was committed with it. `free` is called when a host's record
 * is out after a job had to wait for it: else that job would lie there until the relay's next round.
 */
export const createRecordGate = (free: () => void): RecordGate => {
  const unpublished = new Set<HostId>();
  const heldBack = new Set<HostId>();
  return {
    committing: (hosts) => {
      for (const host of hosts) unpublished.add(host);
    },
    published: (host) => {
      unpublished.delete(host);
      if (heldBack.delete(host)) free();
    },
    mayPut: (host) => {
      if (!unpublished.has(host)) return true;
      heldBack.add(host);
      return false;
    },
  };
};
