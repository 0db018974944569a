/** Texts of values that never change, by their number; and the one object that stands for each. */
const texts: string[] = [];
const objects: object[] = [];
const numberOfText = new Map<string, number>();
const interned = new WeakSet<object>();

// JSON.stringify is by far the quickest way to a text; it only has to be told of maps.
Object.defineProperty(Map.prototype, 'toJSON', {
  configurable: true,
  value: function toJSON(this: Map<unknown, unknown>): unknown[] {
    return [...this];
  },
});

/** A text that is the same for equal values. Maps are written in their order: sort them before. */
export const encode = (value: unknown): string => JSON.stringify(value);

/** The one object that stands for all equal to `value`. It must never be changed; it is written as a short name. */
export const intern = <T extends object>(value: T): T => {
  if (interned.has(value)) return value;
  const text = encode(value);
  const known = numberOfText.get(text);
  if (known !== undefined) return objects[known] as T;
  const number = texts.push(text) - 1;
  objects.push(value);
  numberOfText.set(text, number);
  interned.add(value);
  const name = `#${number};`;
  Object.defineProperty(value, 'toJSON', { enumerable: false, value: () => name });
  return Object.freeze(value);
};

export const isInterned = (value: object): boolean => interned.has(value);

/** The same text with the short names written out. */
export const expand = (text: string): string => {
  const written = text.replace(/"#(\d+);"/g, (_, number: string) => texts[Number(number)] ?? '');
  return written === text ? text : expand(written);
};
