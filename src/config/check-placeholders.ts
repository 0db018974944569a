import type { ConfiguredService } from './schema.ts';
import { nearestKey } from './nearest-key.ts';

/** What `substitute` replaces, in commands on the host and in names for HAProxy. */
const known = ['name', 'address'];

interface Misused {
  path: PropertyKey[];
  message: string;
}

/** `{word}`, but `${word}`: that is a variable of whatever the command calls. */
const placeholders = (text: string): string[] =>
  [...text.matchAll(/(?<!\$)\{([A-Za-z_-]+)\}/g)].map(([, word = '']) => word);

const unknown = (word: string): string => {
  const near = nearestKey(word, known);
  const hint = near === null ? ':' : `; did you mean {${near}}?`;
  return `{${word}} is not known${hint} {name} and {address} stand for the container's`;
};

/** Commands are anybody's language (`awk {print}`): only what is nearly a placeholder is meant as one. */
const inCommand = (option: PropertyKey, argv: readonly string[] | undefined): Misused[] =>
  (argv ?? []).flatMap((text, index) =>
    placeholders(text)
      .filter((word) => !known.includes(word) && nearestKey(word, known) !== null)
      .map((word) => ({ path: [option, index], message: unknown(word) })),
  );

/** Placeholders of a service's settings that nothing would be put in for. */
export const misusedPlaceholders = (service: ConfiguredService): Misused[] => {
  const { haproxy, health, beforeStop, afterHealthy } = service;
  const names = haproxy === undefined ? [] : (['backend', 'server'] as const);
  return [
    ...inCommand('beforeStop', beforeStop),
    ...inCommand('afterHealthy', afterHealthy),
    ...names.flatMap((key) =>
      placeholders(haproxy?.[key] ?? '')
        .filter((word) => !known.includes(word))
        .map((word) => ({ path: ['haproxy', key], message: unknown(word) })),
    ),
    ...(health.kind === 'command' ? health.command : []).flatMap((text, index) =>
      placeholders(text)
        .filter((word) => known.includes(word))
        .map((word) => ({
          path: ['health', 'command', index],
          message: `{${word}} is not replaced here: the command runs inside the container`,
        })),
    ),
  ];
};
