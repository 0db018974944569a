/** What only root can do (mounts, other owners) is skipped for others; `npm test` says so at its end. */
export const needsRoot = <T extends { skip: unknown }>(what: T): T | T['skip'] =>
  process.getuid?.() === 0 ? what : what.skip;
