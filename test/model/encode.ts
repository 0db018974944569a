/** Texts of values that never change, by their number; and the one object that stands for each. */
const texts: string[] = [];
const objects: object[] = [];
const numberOfText = new Map<string, number>();
const shortNames = new WeakMap<object, string>();

/** A text that is the same for equal values. Maps are written in their order: sort them before. */
export const encode = (value: unknown): string => {
  if (value === null || value === undefined) return '~';
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') throw new Error(`a ${typeof value} cannot be written`);
  const name = shortNames.get(value);
  if (name !== undefined) return name;
  let text = '';
  if (Array.isArray(value)) {
    for (const entry of value) text += `${encode(entry)},`;
    return `[${text}]`;
  }
  if (value instanceof Map) {
    for (const [key, entry] of value as Map<unknown, unknown>)
      text += `${encode(key)}:${encode(entry)},`;
    return `<${text}>`;
  }
  for (const key in value) text += `${key}:${encode((value as Record<string, unknown>)[key])},`;
  return `{${text}}`;
};

/** The one object that stands for all equal to `value`. It must never be changed; it is written as a short name. */
export const intern = <T extends object>(value: T): T => {
  if (shortNames.has(value)) return value;
  const text = encode(value);
  const known = numberOfText.get(text);
  if (known !== undefined) return objects[known] as T;
  const number = texts.push(text) - 1;
  objects.push(value);
  numberOfText.set(text, number);
  shortNames.set(value, `#${number};`);
  return value;
};

export const isInterned = (value: object): boolean => shortNames.has(value);

/** The same text with the short names written out. */
export const expand = (text: string): string => {
  const written = text.replace(/#(\d+);/g, (_, number: string) => texts[Number(number)] ?? '');
  return written === text ? text : expand(written);
};
