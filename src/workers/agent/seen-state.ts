import type { ContainerView } from '../../core/messages.ts';
import type { RuntimeState } from '../../host/runtime.ts';

/** The words of the messages for what the runtime says. */
export const seenState = ({ state }: RuntimeState): ContainerView['state'] =>
  state === 'starting' || state === 'stopping' || state === 'aborting' ? 'changing' : state;
