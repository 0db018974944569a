import type { z } from 'zod';
import { at, placeOf, placeOfKey, toPlain } from './located.ts';
import type { Located } from './located.ts';
import { knownKeys } from './known-keys.ts';
import { nearestKey } from './nearest-key.ts';
import { formatOption } from './problem.ts';
import type { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

const shown = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const listed = (words: readonly string[]): string => words.join(', ');

const bound = ({ origin }: { origin: string }, side: string, limit: number | bigint): string =>
  origin === 'string'
    ? 'must not be empty'
    : origin === 'array'
      ? `want ${side} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
      : `want ${side} ${limit}`;

/** What is allowed in place of `value`, for issues about one value. */
const allowed = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `want ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `want ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return bound(issue, 'at least', issue.minimum);
    case 'too_big':
      return bound(issue, 'at most', issue.maximum);
    case 'invalid_format':
      return issue.format === 'starts_with' && 'prefix' in issue
        ? `must begin with ${String(issue.prefix)}`
        : issue.message;
    default:
      return issue.message;
  }
};

/** Of several alternatives that all failed, those that come nearest to what was meant. */
const nearestBranches = (branches: readonly Issue[][]): Issue[][] => {
  const isOtherType = (issues: Issue[]): boolean =>
    issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
  const sameType = branches.filter((issues) => !isOtherType(issues));
  const sameKeys = sameType.filter((issues) =>
    issues.every(({ code }) => code !== 'unrecognized_keys'),
  );
  return sameKeys.length > 0 ? sameKeys : sameType.length > 0 ? sameType : [...branches];
};

const explainUnion = (
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
  located: Located,
): Problem[] => {
  const root = toPlain(located);
  const keys = knownKeys(path, root);
  const value = at(located, path);
  if (issue.discriminator !== undefined) {
    const options = listed(('options' in issue ? (issue.options ?? []) : []).map(String));
    // Zod's path ends with the discriminator itself.
    return [
      {
        ...placeOf(located, path),
        option: formatOption(path),
        message:
          value === null
            ? `is missing; want ${options}`
            : `${shown(toPlain(value))} is not known; want ${options}`,
      },
    ];
  }
  const near = nearestBranches(issue.errors);
  const [only] = near;
  const unknown =
    value?.kind === 'map'
      ? [...value.entries.keys()].find((key) => !keys.includes(key))
      : undefined;
  if (unknown !== undefined) return [unknownKey(unknown, path, located)];
  if (near.length === 1 && only !== undefined)
    return only.flatMap((inner) => explainAt(inner, [...path, ...inner.path], located));
  const message =
    value?.kind === 'map' && keys.length > 0
      ? `want exactly one of ${listed(keys)}`
      : `${value === null ? '' : `${shown(toPlain(value))}: `}${[...new Set(near.flat().map(allowed))].join(', or ')}`;
  return [{ ...placeOf(located, path), option: formatOption(path), message }];
};

const unknownKey = (key: string, path: readonly PropertyKey[], located: Located): Problem => {
  const known = knownKeys(path, toPlain(located));
  const near = nearestKey(key, known);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  return {
    ...placeOfKey(located, path, key),
    option: formatOption([...path, key]),
    message: `is not known${hint} Allowed: ${listed(known)}`.replace(
      'known Allowed',
      'known. Allowed',
    ),
  };
};

const explainAt = (issue: Issue, path: readonly PropertyKey[], located: Located): Problem[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(key, path, located));
  if (issue.code === 'invalid_union') return explainUnion(issue, path, located);
  const option = formatOption(path);
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    const place = placeOfKey(located, path.slice(0, -1), String(path.at(-1)));
    return [{ ...place, option, message: inner === undefined ? issue.message : allowed(inner) }];
  }
  const value = at(located, path);
  const place = placeOf(located, path);
  if (value === null && issue.code !== 'custom')
    return [{ ...place, option, message: `is missing; ${allowed(issue)}` }];
  const what = value?.kind === 'scalar' ? `${shown(value.value)}: ` : '';
  return [{ ...place, option, message: `${what}${allowed(issue)}` }];
};

/** What an issue that Zod found in a configuration means, where it stands, and what is allowed there. */
export const explainIssue = (issue: Issue, located: Located): Problem[] =>
  explainAt(issue, issue.path, located);
