import type * as AgentModule from '../../src/core/agent/agent.ts';
import type * as AgentStepModule from '../../src/core/agent/step.ts';
import type * as FleetModule from '../../src/core/coordinator/fleet.ts';
import type * as FleetStepModule from '../../src/core/coordinator/step.ts';
import type * as JournalModule from '../../src/core/agent/journal.ts';
import type * as PauseModule from '../../src/core/coordinator/pause-state.ts';
import type * as RecordModule from '../../src/core/agent/record.ts';

/** The real code that is explored: either the sources as they stand, or a copy with one rule broken. */
export interface Core {
  bootAgent: typeof AgentModule.bootAgent;
  agentStep: typeof AgentStepModule.agentStep;
  emptyJournal: typeof JournalModule.emptyJournal;
  ackedOf: typeof JournalModule.ackedOf;
  serverTime: typeof RecordModule.serverTime;
  emptyFleet: typeof FleetModule.emptyFleet;
  generationOf: typeof FleetModule.generationOf;
  defaultFleetSettings: typeof FleetModule.defaultFleetSettings;
  fleetStep: typeof FleetStepModule.fleetStep;
  pauseState: typeof PauseModule.pauseState;
}

/** Load the core from a folder of compiled files. */
export const loadCore = async (folder: string): Promise<Core> => {
  const load = (file: string): Promise<unknown> => import(`${folder}/${file}.js`);
  const parts = await Promise.all(
    [
      'agent/agent',
      'agent/step',
      'agent/journal',
      'agent/record',
      'coordinator/fleet',
      'coordinator/step',
      'coordinator/pause-state',
    ].map(load),
  );
  return Object.assign({}, ...parts) as Core;
};
