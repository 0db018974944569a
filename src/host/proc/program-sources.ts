import { dirname, join, posix } from 'node:path';
import { importsOf, isBeside, moduleFiles } from '../../core/stale/imports.ts';
import type { Interpreter } from '../../core/stale/interpreted.ts';
import type { ImportMemory } from './import-memory.ts';
import type { RunningProgram } from './read-program.ts';

/** A source file that a program may have loaded. */
export interface SourceFile {
  /** Where it lies, without links where the view follows them itself. */
  path: string;
  /** It is of the container, not of the host. */
  own: boolean;
  identity: string;
  changedMs: number;
  /** Its text; null where it cannot be read, or is another file by now. */
  read: () => string | null;
}

/** Names in a directory. */
export type Names = Pick<ReadonlySet<string>, 'has'>;

/** The files that a program sees. */
export interface SourceView {
  look: (path: string) => SourceFile | null;
  /** Null where there is no such directory. */
  names: (directory: string) => Names | null;
  searchPath: (interpreter: Interpreter) => readonly string[];
}

/** How much may still be looked at. */
export interface SourceBudget {
  files: number;
  /** Names of modules that are looked for. */
  names: number;
}

/** Deeper than any program lies. */
const MAX_DEPTH = 40;

/** Where Node looks for a package: in each directory on the way up. */
const packagesAbove = (directory: string): string[] => {
  const found: string[] = [];
  let at = directory;
  while (found.length < MAX_DEPTH) {
    found.push(posix.join(at, 'node_modules'));
    if (at === '/') break;
    at = dirname(at);
  }
  return found;
};

/** Directories that are looked into whichever file names a module. */
const commonPath = (
  { interpreter, cwd, own }: RunningProgram,
  script: string | null,
  view: SourceView,
): string[] => {
  const beside = script === null ? cwd : dirname(script);
  const first: Partial<Record<Interpreter, string[]>> = { node: [], php: [beside, cwd] };
  return [...(first[interpreter] ?? [beside]), ...own, ...view.searchPath(interpreter)];
};

const importsIn = (
  interpreter: Interpreter,
  file: SourceFile,
  memory: ImportMemory,
): readonly string[] => {
  const key = `${interpreter} ${file.identity}`;
  const known = memory.get(key);
  if (known !== undefined) return known;
  const text = file.read();
  if (text === null) return [];
  const imports = importsOf(interpreter, text);
  memory.set(key, imports);
  return imports;
};

/**
 * The files that a program was made of, as far as they can be told: its script and the modules that it
 * names, followed through their own imports. Of several that a name may stand for each counts, but none
 * that comes after one of the container's own; Node has exact rules, and takes the first.
 */
export const sourcesOf = (
  running: RunningProgram,
  view: SourceView,
  options: { memory: ImportMemory; budget: SourceBudget },
): SourceFile[] => {
  const { interpreter, program, cwd } = running;
  const { memory, budget } = options;
  const isNode = interpreter === 'node';
  const script = program.kind === 'script' ? posix.resolve(cwd, program.path) : null;
  const path = commonPath(running, script, view);
  const looked = new Map<string, SourceFile | null>();
  const taken = new Set<string>();
  const sources: SourceFile[] = [];
  const searched = new Set<string>();

  const take = (at: string): SourceFile | null => {
    const known = looked.get(at);
    if (known !== undefined) return known;
    const file = view.look(at);
    looked.set(at, file);
    if (file !== null && !taken.has(file.path) && budget.files > 0) {
      budget.files -= 1;
      taken.add(file.path);
      sources.push(file);
    }
    return file;
  };
  /** What a directory has of a module, which most do not. */
  const takeFrom = (directory: string, files: readonly string[]): SourceFile[] => {
    const names = view.names(directory);
    if (names === null) return [];
    return files
      .filter((file) => names.has(file.split('/', 1)[0] ?? ''))
      .map((file) => take(join(directory, file)))
      .filter((file) => file !== null);
  };
  const find = (name: string, from: string): void => {
    budget.names -= 1;
    if (budget.names < 0) return;
    const beside = dirname(from);
    if (isBeside(interpreter, name)) {
      for (const file of moduleFiles(interpreter, name)) take(posix.resolve(beside, file));
      return;
    }
    const files = moduleFiles(interpreter, name).map((file) => file.replace(/^\/+/, ''));
    for (const directory of isNode ? packagesAbove(beside) : [beside])
      if (takeFrom(directory, files).length > 0 && isNode) return;
    if (searched.has(name)) return;
    searched.add(name);
    for (const directory of path) {
      const found = takeFrom(directory, files);
      if (found.some(({ own }) => own || isNode)) return;
    }
  };

  if (script !== null) {
    take(script);
    if (isNode) for (const file of moduleFiles('node', script)) take(file);
  }
  if (program.kind === 'module') {
    find(program.name, join(cwd, '-'));
    find(`${program.name}.__main__`, join(cwd, '-'));
  }
  for (let at = 0; at < sources.length && budget.names > 0; at += 1) {
    const file = sources[at];
    if (file === undefined) break;
    for (const name of importsIn(interpreter, file, memory)) find(name, file.path);
  }
  return sources;
};
