import type * as ExplainModule from '../../src/core/coordinator/explain.ts';
import type * as HealthModule from '../../src/core/health-clock.ts';
import type * as PlanModule from '../../src/core/coordinator/silence.ts';
import { loadCore } from '../model/core.ts';
import type { Core } from '../model/core.ts';

/** The real code that is simulated: what the model explores, and what runs around it. */
export interface SimCore extends Core {
  explainContainer: typeof ExplainModule.explainContainer;
  grantWaits: typeof PlanModule.grantWaits;
  takeUpDoubt: typeof PlanModule.takeUpDoubt;
  startHealthClock: typeof HealthModule.startHealthClock;
  tellHealthClock: typeof HealthModule.tellHealthClock;
}

/** Load it from a folder of compiled files, as they stand or with one rule broken. */
export const loadSimCore = async (folder: string): Promise<SimCore> => {
  const load = (file: string): Promise<unknown> => import(`${folder}/${file}.js`);
  const more = await Promise.all(
    ['coordinator/explain', 'coordinator/silence', 'health-clock'].map(load),
  );
  return Object.assign(await loadCore(folder), ...more) as SimCore;
};
