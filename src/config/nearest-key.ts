/** Edits (insertions, deletions, changes, swaps of neighbours) that turn `a` into `b`. */
const distance = (a: string, b: string): number => {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (__, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const row = rows[i];
      if (row !== undefined)
        row[j] = Math.min(
          cell(i - 1, j) + 1,
          cell(i, j - 1) + 1,
          cell(i - 1, j - 1) + (same ? 0 : 1),
          swapped ? cell(i - 2, j - 2) + 1 : Infinity,
        );
    }
  return cell(a.length, b.length);
};

/** Case, dashes and underscores are what people get wrong most. */
const simplify = (key: string): string => key.toLowerCase().replace(/[-_]/g, '');

/** The known key that was probably meant; null when none is near. */
export const nearestKey = (key: string, known: readonly string[]): string | null => {
  const wanted = simplify(key);
  const ranked = known
    .map((candidate) => {
      const plain = simplify(candidate);
      const starts = wanted.length >= 3 && plain.startsWith(wanted);
      return { candidate, edits: starts ? 1 : distance(wanted, plain) };
    })
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best !== undefined && best.edits <= Math.max(1, Math.floor(wanted.length / 3))
    ? best.candidate
    : null;
};
