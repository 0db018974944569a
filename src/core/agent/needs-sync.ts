import type { AgentAudit, AgentEffect, AgentEvent } from './agent.ts';

/**
 * What a restart does between its synced intent and its end, and a job that is taken. Without power after any of these
 * the host boots over a grant that is `stopping`, or over none: R24 goes forward from there as from `started`, and the
 * job is completed once it is synced (R4).
 */
const between = new Set<AgentEvent['kind']>(['job', 'child', 'stop-over', 'start-over', 'health']);

/** What takes nothing out of service, and is done once more, without harm, by a host that has forgotten it. */
const harmless = new Set<AgentEffect['kind']>([
  'check',
  'start',
  'watch-health',
  'verify',
  'send-reports',
]);

/**
 * Whether a turn must be synced to disk before its effects begin (R23). It is written in any case, and a process that dies
 * loses nothing of it; this is about a host that loses its power, and with it all that ran there. One that need
 * not be is synced with the next that must, and before anything of it is told (R8).
 */
export const needsSync = (
  { kind }: AgentEvent,
  { audits, effects }: { audits: readonly AgentAudit[]; effects: readonly AgentEffect[] },
): boolean =>
  !between.has(kind) || audits.length > 0 || effects.some((effect) => !harmless.has(effect.kind));
