import { z } from 'zod';
import { ContainerId, HostId } from '../ids.ts';
import { PauseLevel, WantedPackage } from '../messages.ts';

/** What operators may ask for. The API takes these as they stand; every one names its actor. */
export const OperatorAction = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('approve'),
    waveId: z.string(),
    /** Only in the form in which it was shown (`shownForm`). */
    shown: z.string().optional(),
  }),
  z.strictObject({ action: z.literal('decline'), waveId: z.string() }),
  z.strictObject({ action: z.literal('stop'), waveId: z.string() }),
  z.strictObject({ action: z.literal('pause'), level: PauseLevel, reason: z.string() }),
  z.strictObject({ action: z.literal('resume'), level: PauseLevel }),
  z.strictObject({
    action: z.literal('retry'),
    scope: z.discriminatedUnion('of', [
      z.strictObject({ of: z.literal('container'), container: ContainerId }),
      z.strictObject({ of: z.literal('host'), hostId: HostId }),
      z.strictObject({ of: z.literal('wave'), waveId: z.string() }),
    ]),
  }),
  z.strictObject({ action: z.literal('freeze'), reason: z.string(), until: z.number().nullable() }),
  z.strictObject({ action: z.literal('unfreeze'), id: z.string() }),
  z.strictObject({ action: z.literal('park'), container: ContainerId }),
  z.strictObject({ action: z.literal('unpark'), container: ContainerId }),
  z.strictObject({
    action: z.literal('restart'),
    containers: z.array(ContainerId).min(1),
    what: z.string(),
  }),
  z.strictObject({
    action: z.literal('upgrade'),
    hosts: z.array(HostId).min(1),
    mode: z.enum(['packages', 'security']),
    packages: z.array(WantedPackage),
    allowRemove: z.boolean(),
  }),
  z.strictObject({ action: z.literal('allow-outage'), waveId: z.string(), service: z.string() }),
  z.strictObject({
    action: z.literal('host-add'),
    hostId: HostId,
    /** Null: as it is; of a new host, the zone `default` and the fleet's cap. */
    zone: z.string().nullable(),
    /** `default`: none of its own any more, but the fleet's. */
    cap: z.union([z.int().positive(), z.literal('default')]).nullable(),
  }),
  /** The operator's word that the machine is off or fenced (R33). */
  z.strictObject({
    action: z.literal('host-exclude'),
    hostId: HostId,
    fenced: z.literal(true),
    reason: z.string(),
  }),
  /** It is excluded or revoked, and will not come back. */
  z.strictObject({ action: z.literal('host-remove'), hostId: HostId }),
]);
export type OperatorAction = z.infer<typeof OperatorAction>;

export type Answer = { ok: true; id: string | null; text: string } | { ok: false; reason: string };

export const ok = (text: string, id: string | null = null): Answer => ({ ok: true, id, text });
export const no = (reason: string): Answer => ({ ok: false, reason });
