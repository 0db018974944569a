import type { HostId } from '../core/ids.ts';

/** Reports of all agents; its one reader is the coordinator. */
export const fleetQueue = 'fleet';
export const advisoriesQueue = 'advisories';

/** The queue of one host's agent. BullMQ takes no colon in a name. */
export const hostQueue = (hostId: HostId): string => `host-${hostId}`;

/**
 * Prefix of a queue's keys. The hash tag keeps all keys of a host in one slot, so that moving to Redis
 * Cluster changes no key; for `host-h1` it is `gw:{h1}`.
 */
export const queuePrefix = (queueName: string): string =>
  `gw:{${queueName.startsWith('host-') ? queueName.slice('host-'.length) : queueName}}`;

/** Key of one job, as BullMQ writes it. */
export const jobKey = (queueName: string, jobId: string): string =>
  `${queuePrefix(queueName)}:${queueName}:${jobId}`;

/** Job ids begin with the host's id and an underscore, which no host id holds (R2). */
export const jobIdFor = (hostId: HostId, uuid: string): string => `${hostId}_${uuid}`;

/** Where a host's control record lies: inside the keys that the host's own Redis user may read (R11). */
export const controlRecordKey = (hostId: HostId): string => {
  const name = hostQueue(hostId);
  return `${queuePrefix(name)}:${name}:control`;
};

/** What the active server writes over and over, to see whether Redis takes writes, and keeps them. */
export const serverProbeKey = 'gw:server:probe';

/** Where somebody on a host sees whether Redis takes writes: inside the keys of the host's own user. */
export const hostProbeKey = (hostId: HostId): string => {
  const name = hostQueue(hostId);
  return `${queuePrefix(name)}:${name}:probe`;
};

/** Where an agent shows that it lives. */
export const presenceKey = (hostId: HostId): string => `gw:presence:${hostId}`;
