/** Maps are written as `{"$map": [[key, value], …]}`; everything else is plain JSON. */
export const encodeDocument = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Map ? { $map: [...(part as Map<unknown, unknown>)] } : part,
  );

const isMapForm = (value: unknown): value is { $map: [unknown, unknown][] } =>
  typeof value === 'object' && value !== null && '$map' in value && Array.isArray(value.$map);

/** The inverse of `encodeDocument`. Throws `SyntaxError` on text that is not JSON. */
export const decodeDocument = (text: string): unknown =>
  JSON.parse(text, (_key, part: unknown) => (isMapForm(part) ? new Map(part.$map) : part));
