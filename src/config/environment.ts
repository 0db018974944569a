import { merge } from './located.ts';
import type { Located } from './located.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that stand for an option. `GROUNDSWELL_CONFIG`, the file's own path, is read in `loadConfig`. */
export const environmentOptions = {
  REDIS_URL: ['redis', 'url'],
  GROUNDSWELL_DATA: ['dataDirectory'],
  GROUNDSWELL_SOCKET: ['server', 'socket'],
  GROUNDSWELL_HOST_ID: ['agent', 'hostId'],
  GROUNDSWELL_LOG_LEVEL: ['log', 'level'],
} as const satisfies Record<string, readonly string[]>;

const nest = (path: readonly string[], value: string, file: string): Located => {
  const place = { file, line: null, column: null };
  const [key, ...rest] = path;
  if (key === undefined) return { kind: 'scalar', place, value };
  return {
    kind: 'map',
    place,
    entries: new Map([[key, { keyPlace: place, value: nest(rest, value, file) }]]),
  };
};

/** The options that the environment sets; an empty variable sets none. */
export const overridesFrom = (environment: Environment): Located =>
  Object.entries(environmentOptions).reduce<Located>(
    (all, [name, path]) => {
      const value = environment[name];
      return value === undefined || value === ''
        ? all
        : merge(all, nest(path, value, `environment variable ${name}`));
    },
    {
      kind: 'map',
      place: { file: 'environment', line: null, column: null },
      entries: new Map(),
    },
  );

/** The environment of this process: the only place that reads it besides the wiring. */
export const processEnvironment = (): Environment => process.env;
