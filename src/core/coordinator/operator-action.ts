import { z } from 'zod';
import { ContainerId, HostId, ZoneName } from '../ids.ts';
import { PauseLevel, WantedPackage } from '../messages.ts';
import { NameText, ReasonText } from '../request-text.ts';

/** The last moment of the year 9999: what is later has no date that everybody can read. */
const lastMs = 253_402_300_799_999;
const wantMoment = 'want a moment up to the year 9999, as milliseconds since 1970, or null';

/**
 * Packages that one upgrade names. With names and versions as long as they may be they fit into a job
 * (`maxJobBytes`): what does not is taken by no queue, however often it is tried.
 */
const mostPackages = 600;
const wordOfPackage = (what: string): z.ZodString =>
  z.string().regex(/^\w[\w.+~^:-]{0,127}$/, `want ${what}, of at most 128 characters`);
const AskedPackage = WantedPackage.extend({
  name: wordOfPackage('a package such as libssl3 or libssl3:amd64'),
  version: wordOfPackage('a version such as 3.0.17-1').nullable(),
});

/** What operators may ask for. The API takes these as they stand; every one names its actor. */
export const OperatorAction = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('approve'),
    waveId: NameText,
    /** Only in the form in which it was shown (`shownForm`). */
    shown: NameText.optional(),
  }),
  z.strictObject({ action: z.literal('decline'), waveId: NameText }),
  z.strictObject({ action: z.literal('stop'), waveId: NameText }),
  z.strictObject({ action: z.literal('pause'), level: PauseLevel, reason: ReasonText }),
  z.strictObject({ action: z.literal('resume'), level: PauseLevel }),
  z.strictObject({
    action: z.literal('retry'),
    scope: z.discriminatedUnion('of', [
      z.strictObject({ of: z.literal('container'), container: ContainerId }),
      z.strictObject({ of: z.literal('host'), hostId: HostId }),
      z.strictObject({ of: z.literal('wave'), waveId: NameText }),
    ]),
  }),
  z.strictObject({
    action: z.literal('freeze'),
    reason: ReasonText,
    until: z.number().min(0, wantMoment).max(lastMs, wantMoment).nullable(),
  }),
  z.strictObject({ action: z.literal('unfreeze'), id: NameText }),
  z.strictObject({ action: z.literal('park'), container: ContainerId }),
  z.strictObject({ action: z.literal('unpark'), container: ContainerId }),
  z.strictObject({
    action: z.literal('restart'),
    containers: z.array(ContainerId).min(1),
    what: ReasonText,
  }),
  z.strictObject({
    action: z.literal('upgrade'),
    hosts: z.array(HostId).min(1),
    mode: z.enum(['packages', 'security']),
    packages: z
      .array(AskedPackage)
      .max(
        mostPackages,
        `want at most ${mostPackages} packages: name the others in a second upgrade`,
      ),
    allowRemove: z.boolean(),
  }),
  z.strictObject({ action: z.literal('allow-outage'), waveId: NameText, service: NameText }),
  z.strictObject({
    action: z.literal('host-add'),
    hostId: HostId,
    /** Null: as it is; of a new host, the zone `default` and the fleet's cap. */
    zone: ZoneName.nullable(),
    /** `default`: none of its own any more, but the fleet's. */
    cap: z.union([z.int().positive(), z.literal('default')]).nullable(),
  }),
  /** The operator's word that the machine is off or fenced (R33). */
  z.strictObject({
    action: z.literal('host-exclude'),
    hostId: HostId,
    fenced: z.literal(true),
    reason: ReasonText,
  }),
  /** It is excluded or revoked, and will not come back. */
  z.strictObject({ action: z.literal('host-remove'), hostId: HostId }),
]);
export type OperatorAction = z.infer<typeof OperatorAction>;

export type Answer = { ok: true; id: string | null; text: string } | { ok: false; reason: string };

export const ok = (text: string, id: string | null = null): Answer => ({ ok: true, id, text });
export const no = (reason: string): Answer => ({ ok: false, reason });
