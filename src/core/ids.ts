import { z } from 'zod';

/** A host's name. No underscore, so that `<hostId>_<uuid>` keys of one host never match another's (R2). */
export const HostId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{0,62}$/,
    'want a host id such as web-1 (a-z, 0-9, dot, dash; at most 63)',
  )
  // The server's own chain of audit records is called so.
  .refine((id) => id !== 'server', 'a host cannot be called server: name another in agent.hostId');
export type HostId = z.infer<typeof HostId>;

/** Where a host stands: hosts that may fail together share a zone. */
export const ZoneName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'want a zone such as rack-1');

/** A container's name on its host, as LXC allows it. */
export const ContainerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'want a container name such as web-01');
export type ContainerName = z.infer<typeof ContainerName>;

/** `hostId/name`: one container of the fleet. */
export const ContainerId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}\/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
export type ContainerId = z.infer<typeof ContainerId>;

export const containerId = (hostId: HostId, name: ContainerName): ContainerId =>
  `${hostId}/${name}`;

/** Also of a container that is not there any more. */
export const hostOfContainer = (id: ContainerId): HostId => id.slice(0, id.indexOf('/'));
