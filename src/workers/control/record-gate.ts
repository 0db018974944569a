import type { HostId } from '../../core/ids.ts';
import type { RecordNumber } from '../../core/messages.ts';

export interface RecordGate {
  /** This record of the host is about to be committed. */
  committing: (host: HostId, number: RecordNumber) => void;
  /** This record of the host is in Redis. */
  published: (host: HostId, number: RecordNumber) => void;
  mayPut: (host: HostId) => boolean;
  /** Hosts whose newest record is not known to be in Redis. */
  unpublished: () => HostId[];
}

/**
 * R12: no job overtakes the control record that was committed with it, nor does an earlier record that is out
 * late stand for a later one. `free` is called when a host's newest record is out after a job had to wait for
 * it: else that job would lie there until the relay's next round.
 */
export const createRecordGate = (free: () => void): RecordGate => {
  const newest = new Map<HostId, string>();
  const heldBack = new Set<HostId>();
  return {
    committing: (host, number) => {
      newest.set(host, number.join('.'));
    },
    published: (host, number) => {
      if (newest.get(host) !== number.join('.')) return;
      newest.delete(host);
      if (heldBack.delete(host)) free();
    },
    mayPut: (host) => {
      if (!newest.has(host)) return true;
      heldBack.add(host);
      return false;
    },
    unpublished: () => [...newest.keys()],
  };
};
