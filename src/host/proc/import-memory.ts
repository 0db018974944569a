/** Imports of source files by their identity: sources are read once, whoever loads them. */
export interface ImportMemory {
  get: (identity: string) => readonly string[] | undefined;
  set: (identity: string, names: readonly string[]) => void;
}

/** Remembers some number of names in all: files of containers may name whatever they like. */
export const importMemory = (limit = 200_000): ImportMemory => {
  const known = new Map<string, readonly string[]>();
  let held = 0;
  return {
    get: (identity) => known.get(identity),
    set: (identity, names) => {
      held += names.length + 1;
      if (held > limit) {
        known.clear();
        held = names.length + 1;
      }
      known.set(identity, names);
    },
  };
};
