/** Where a value stands in the configuration. */
export interface Place {
  file: string;
  line: number | null;
  column: number | null;
}

/** A value together with the place of each of its parts, so that files can be merged and still be named. */
export type Located =
  | { kind: 'map'; place: Place; entries: Map<string, { keyPlace: Place; value: Located }> }
  | { kind: 'list'; place: Place; items: Located[] }
  | { kind: 'scalar'; place: Place; value: unknown };

const isEmpty = (located: Located): boolean => located.kind === 'scalar' && located.value === null;

/** The bare values. `key:` without a value is as good as no such line, so that sections can be left empty. */
export const toPlain = (located: Located): unknown => {
  switch (located.kind) {
    case 'map':
      return Object.fromEntries(
        [...located.entries]
          .filter(([, { value }]) => !isEmpty(value))
          .map(([key, { value }]) => [key, toPlain(value)]),
      );
    case 'list':
      return located.items.map(toPlain);
    case 'scalar':
      return located.value;
  }
};

/** The place of the value at `path`, or of the nearest part of it that there is. */
export const placeOf = (located: Located, path: readonly PropertyKey[]): Place => {
  let here = located;
  for (const part of path) {
    const next =
      here.kind === 'map'
        ? here.entries.get(String(part))?.value
        : here.kind === 'list'
          ? here.items[Number(part)]
          : undefined;
    if (next === undefined) break;
    here = next;
  }
  return here.place;
};

/** The place of the key `key` in the mapping at `path`. */
export const placeOfKey = (located: Located, path: readonly PropertyKey[], key: string): Place => {
  const parent = at(located, path);
  const entry = parent?.kind === 'map' ? parent.entries.get(key) : undefined;
  return entry?.keyPlace ?? placeOf(located, path);
};

/** The part at `path`; null where there is none. */
export const at = (located: Located, path: readonly PropertyKey[]): Located | null => {
  let here: Located | undefined = located;
  for (const part of path)
    here =
      here?.kind === 'map'
        ? here.entries.get(String(part))?.value
        : here?.kind === 'list'
          ? here.items[Number(part)]
          : undefined;
  return here ?? null;
};

const nameOf = (item: Located): unknown => {
  const name = item.kind === 'map' ? item.entries.get('name')?.value : undefined;
  return name?.kind === 'scalar' ? name.value : undefined;
};

/** Services of a later file that has the name of an earlier one's change that one; others are added. */
const mergeNamed = (earlier: Located[], later: Located[]): Located[] => {
  const result = [...earlier];
  for (const item of later) {
    const name = nameOf(item);
    const index =
      name === undefined ? -1 : earlier.findIndex((candidate) => nameOf(candidate) === name);
    const before = result[index];
    if (before === undefined) result.push(item);
    else result[index] = merge(before, item, []);
  }
  return result;
};

/** Options of which one form excludes another, so that parts of both together mean nothing. */
const wholes = ['health', 'budget'];

/**
 * `later` over `earlier`: mappings are merged key by key, `services` by name, `optOut` is added to,
 * and everything else (`health`, `budget` and other lists too) is replaced. An empty value (`key:`) takes nothing away.
 */
export const merge = (earlier: Located, later: Located, path: readonly string[] = []): Located => {
  if (isEmpty(later)) return earlier;
  const isWhole = path.some((key) => wholes.includes(key));
  if (earlier.kind === 'map' && later.kind === 'map' && !isWhole) {
    const entries = new Map(earlier.entries);
    for (const [key, entry] of later.entries) {
      const before = entries.get(key);
      const value =
        before === undefined ? entry.value : merge(before.value, entry.value, [...path, key]);
      entries.set(key, { keyPlace: entry.keyPlace, value });
    }
    return { kind: 'map', place: later.place, entries };
  }
  if (earlier.kind === 'list' && later.kind === 'list' && path.length === 1) {
    if (path[0] === 'services') return { ...later, items: mergeNamed(earlier.items, later.items) };
    if (path[0] === 'optOut') return { ...later, items: [...earlier.items, ...later.items] };
  }
  return later;
};
