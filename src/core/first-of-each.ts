/** Where not all can be told: one of each kind, and the rest, each in the order in which they came. */
export const firstOfEach = <T>(
  items: readonly T[],
  kindOf: (item: T) => unknown,
): { first: T[]; others: T[] } => {
  const kinds = new Set<unknown>();
  const [first, others]: [T[], T[]] = [[], []];
  for (const item of items) {
    const kind = kindOf(item);
    (kinds.has(kind) ? others : first).push(item);
    kinds.add(kind);
  }
  return { first, others };
};
