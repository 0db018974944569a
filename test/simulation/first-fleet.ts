import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Plan } from './schedule.ts';
import type { SimCore } from './sim-core.ts';

/** Packages whose upgrade holds a unit of each service of its host (R29). */
export const disruptivePackage = 'libc';

/** The configuration of a server: shorter times than the defaults, so that more happens in a schedule. */
export const configured = (core: SimCore, plan: Plan): Fleet => {
  const fleet = core.emptyFleet(
    {
      ...core.defaultFleetSettings,
      ...{ beginBeforeMs: 30_000, deadlineMs: 90_000, staleLimitMs: 60_000 },
      ...{ maxFailures: plan.maxFailures, canaries: plan.canaries },
      ...{ hostCap: plan.hostCap, zoneCap: plan.zoneCap, fleetCap: plan.fleetCap },
      disruptivePackages: [disruptivePackage],
    },
    1,
    0,
  );
  plan.services.forEach(({ budget, mode, restartBroken }, at) => {
    const name = `s${at + 1}`;
    fleet.services.set(name, {
      ...{ name, budget, mode, restartBroken },
      match: [{ container: `${name}-*` }],
    });
  });
  return fleet;
};
