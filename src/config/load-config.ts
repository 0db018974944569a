import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorText } from '../core/error-text.ts';
import { configurationNotes } from './configuration-notes.ts';
import { checkConfiguration } from './check-configuration.ts';
import { overridesFrom } from './environment.ts';
import type { Environment } from './environment.ts';
import { explainIssue } from './explain-issue.ts';
import { merge, toPlain } from './located.ts';
import type { Located } from './located.ts';
import { parseYaml } from './parse-yaml.ts';
import type { Problem } from './problem.ts';
import { Configuration } from './schema.ts';

export const defaultConfigFile = '/etc/groundswell/config.yaml';

export interface LoadOptions {
  /** Named by a person: it must be there. Default: `GROUNDSWELL_CONFIG`, else the usual file where there is one. */
  file?: string | undefined;
  environment: Environment;
}

/** The main file of the configuration, whether it is there or not. */
export const configFileOf = ({ file, environment }: LoadOptions): string =>
  file ?? environment['GROUNDSWELL_CONFIG'] ?? defaultConfigFile;

export type LoadedConfig =
  | {
      ok: true;
      config: Configuration;
      files: string[];
      /** What holds data, spool and configuration: hidden in every container of the host (design §12). */
      privatePaths: string[];
      /** What is right, and yet may not be meant, at this moment of the wall clock. */
      notes: (wallMs: number) => Problem[];
    }
  | { ok: false; problems: Problem[]; files: string[] };

const inFile = (file: string, message: string): Problem => ({
  ...{ file, line: null, column: null },
  option: '',
  message,
});

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

const remedyFor = (error: unknown): string =>
  codeOf(error) === 'EACCES' ? ' (it may hold secrets, so only root reads it: use sudo)' : '';

/** The text of a file; null where it is absent and may be. */
const readText = async (
  file: string,
  mayBeAbsent: boolean,
): Promise<{ text: string | null } | { problem: Problem }> => {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return mayBeAbsent ? { text: null } : { problem: inFile(file, 'there is no such file') };
    return { problem: inFile(file, `cannot be read: ${errorText(error)}${remedyFor(error)}`) };
  }
};

const dropInsDirectory = (file: string): string => join(dirname(file), 'config.d');

/** `config.d/*.yaml` beside the main file, in the order of their names. */
const dropInsOf = async (file: string): Promise<string[]> => {
  const directory = dropInsDirectory(file);
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  });
  return names
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(directory, name));
};

/** Merged values, checked: the configuration with all defaults, or every problem in it. */
export const readConfiguration = (
  located: Located,
):
  | { ok: true; config: Configuration; notes: (wallMs: number) => Problem[] }
  | { ok: false; problems: Problem[] } => {
  const parsed = Configuration.safeParse(toPlain(located));
  if (!parsed.success)
    return {
      ok: false,
      problems: parsed.error.issues
        .flatMap((issue) => explainIssue(issue, located))
        .sort(
          (a, b) =>
            Number(a.file > b.file) - Number(a.file < b.file) ||
            (a.line ?? 0) - (b.line ?? 0) ||
            (a.column ?? 0) - (b.column ?? 0),
        ),
    };
  const problems = checkConfiguration(parsed.data, located);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: parsed.data,
    notes: (wallMs) => configurationNotes(parsed.data, located, wallMs),
  };
};

/**
 * The configuration of this machine: main file, drop-ins and environment, each over the one before.
 * Never throws: what is wrong comes back as problems with file, line and what is allowed. Without
 * any file everything has its default.
 */
export const loadConfig = async ({ file, environment }: LoadOptions): Promise<LoadedConfig> => {
  const named = file ?? environment['GROUNDSWELL_CONFIG'];
  const main = configFileOf({ file, environment });
  const files: string[] = [];
  const problems: Problem[] = [];
  let located: Located = {
    kind: 'map',
    place: { file: main, line: null, column: null },
    entries: new Map(),
  };
  try {
    for (const path of [main, ...(await dropInsOf(main))]) {
      const read = await readText(path, path === main && named === undefined);
      if ('problem' in read) problems.push(read.problem);
      else if (read.text !== null) {
        files.push(path);
        const parsed = parseYaml(read.text, path);
        if (parsed.ok) located = merge(located, parsed.value);
        else problems.push(...parsed.problems);
      }
    }
  } catch (error) {
    problems.push(
      inFile(main, `its drop-ins cannot be listed: ${errorText(error)}${remedyFor(error)}`),
    );
  }
  // Whoever is told of half a file looks for what is in the other half.
  if (problems.length > 0) return { ok: false, problems, files };
  const result = readConfiguration(merge(located, overridesFrom(environment)));
  if (!result.ok) return { ...result, files };
  const { dataDirectory, agent } = result.config;
  // The directory of a file need not be Groundswell's alone, such as /etc.
  const privatePaths = [
    dataDirectory,
    agent.spoolDirectory,
    main,
    dropInsDirectory(main),
    ...files,
  ];
  return { ...result, files, privatePaths: privatePaths.map((path) => resolve(path)) };
};
