import type { Host } from './fleet.ts';

/** What the host gate found broken on a host (R29); null: it passes, or was never asked. */
export const gateText = ({ id, gate }: Host): string | null =>
  gate === null ? null : `the host gate of ${id} did not pass: ${gate}`;
