import { z } from 'zod';
import { Configuration } from './schema.ts';

/** As much of JSON Schema as Zod writes for the configuration. */
interface Shape {
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  anyOf?: Shape[];
  oneOf?: Shape[];
  const?: unknown;
}

let shape: Shape | null = null;
const configurationShape = (): Shape =>
  (shape ??= z.toJSONSchema(Configuration, { io: 'input' }) as Shape);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The alternatives that a value may be meant as: where a fixed word such as `kind` fits, only that one. */
const alternatives = (of: Shape, value: unknown): Shape[] => {
  const all = [...(of.anyOf ?? []), ...(of.oneOf ?? [])];
  if (all.length === 0) return [of];
  const fitting = all.filter(({ properties = {} }) =>
    Object.entries(properties).some(
      ([key, { const: word }]) => word !== undefined && isMapping(value) && value[key] === word,
    ),
  );
  return fitting.length > 0 ? fitting : all;
};

const step = (of: Shape, part: PropertyKey): Shape[] => {
  if (typeof part === 'number') return of.items === undefined ? [] : [of.items];
  const property = of.properties?.[String(part)];
  if (property !== undefined) return [property];
  return typeof of.additionalProperties === 'object' ? [of.additionalProperties] : [];
};

const stepInto = (value: unknown, part: PropertyKey): unknown =>
  Array.isArray(value)
    ? (value as unknown[])[Number(part)]
    : isMapping(value)
      ? value[String(part)]
      : undefined;

/** The options that may stand in the mapping at `path` of a configuration, whose present value is `root`. */
export const knownKeys = (path: readonly PropertyKey[], root: unknown): string[] => {
  let shapes: Shape[] = [configurationShape()];
  let value = root;
  for (const part of path) {
    shapes = shapes.flatMap((of) => alternatives(of, value)).flatMap((of) => step(of, part));
    value = stepInto(value, part);
  }
  const open = shapes.flatMap((of) => alternatives(of, value));
  return [...new Set(open.flatMap(({ properties = {} }) => Object.keys(properties)))];
};
