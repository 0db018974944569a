import type { RuntimeContainer } from '../runtime.ts';
import type { ContainerRoot } from './scan-surroundings.ts';

/** The containers that are on the host's root, with their layers: those that a scan can judge. */
export const layersOf = (containers: readonly RuntimeContainer[]): ContainerRoot[] =>
  containers.flatMap(({ name, root }) =>
    root.kind === 'other' ? [] : [{ name, lower: root.lower, upper: root.upper }],
  );
