import type { Fleet, Grant } from '../../src/core/coordinator/fleet.ts';
import type { Commands } from '../../src/core/coordinator/step.ts';
import { concerns } from '../model/effects.ts';
import { checkGiven, limitOf, standingOf } from '../model/given.ts';
import { Violation } from '../model/world.ts';
import { note } from './world.ts';
import type { Given, Server, World } from './world.ts';

/** What is in force at this moment, for the judge of the stop that may follow. */
const factsOf = (world: World, fleet: Fleet, now: number, grant: Grant): Given => {
  const { expect, service, host: id, waveId } = grant;
  const before = expect?.kind === 'retry' ? world.given.get(expect.grantId) : undefined;
  // R26: a retry takes over the unit and the places of the one that it retries.
  if (before !== undefined) return before;
  const { members } = standingOf(fleet, service ?? '', now);
  const budget = fleet.services.get(service ?? '')?.budget ?? { maxUnavailable: 1 };
  const host = fleet.hosts.get(id);
  const isOutage = fleet.waves.get(waveId)?.outagesAllowed.includes(service ?? '') ?? false;
  return {
    order: world.given.size,
    limit: limitOf(budget, members),
    hostCap: host?.cap ?? fleet.settings.hostCap,
    zoneCap: fleet.settings.zoneCap,
    fleetCap: fleet.settings.fleetCap,
    exempt: isOutage || grant.onlyIfBroken || expect?.kind === 'retry',
  };
};

/** R19, R31: nothing but a retry is given where a pause holds it, and nothing at all in a freeze. */
const judgeHolds = (fleet: Fleet, grants: readonly Grant[]): void => {
  for (const { id, host, waveId, container, service, expect } of grants) {
    if (fleet.freezes.size > 0 && [...fleet.freezes.values()].some(({ until }) => until === null))
      throw new Violation('R19', `${id} is given for ${container ?? host} in a freeze`);
    if (expect?.kind === 'retry') continue;
    for (const { level } of fleet.pauses.values())
      if (concerns(level, host, waveId, service === null ? [] : [service]))
        throw new Violation('R31', `${id} is given for ${container ?? host} under a pause`);
  }
};

/** What is shown as `paused` is remembered until it is resumed, whoever leads (I5). */
const watchPauses = (world: World, { fleet }: Server, now: number): void => {
  for (const id of world.shown.keys()) if (!fleet.pauses.has(id)) world.shown.delete(id);
  for (const { id, level } of fleet.pauses.values()) {
    if (world.shown.has(id) || world.core.pauseState(fleet, level, now).state !== 'paused')
      continue;
    world.shown.set(id, level);
    note(world, () => `paused is shown of ${Object.values(level).join(' ')}`);
  }
};

/** What a leader has just made durable. */
export const judgeCommit = (world: World, server: Server, { sends, audits }: Commands): void => {
  const { fleet, highest: now } = server;
  const given: Grant[] = [];
  for (const send of sends)
    if (send.kind === 'restart-batch')
      for (const { grantId } of send.payload.grants) {
        const grant = fleet.grants.get(grantId);
        if (grant !== undefined) given.push(grant);
      }
  for (const grant of given) world.given.set(grant.id, factsOf(world, fleet, now, grant));
  world.counts.grants += given.length;
  for (const { action, grantId } of audits)
    if (action === 'wave-opened') world.counts.waves += 1;
    else if (action === 'grant-ended' && grantId !== null) world.ended.add(grantId);
  if (given.length > 0) {
    checkGiven(
      fleet,
      now,
      given.filter(({ expect }) => expect?.kind !== 'retry'),
    );
    judgeHolds(fleet, given);
  }
  if (fleet.pauses.size + world.shown.size > 0) watchPauses(world, server, now);
};
