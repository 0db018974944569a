/** Languages whose programs are read, not mapped. */
export type Interpreter = 'python' | 'perl' | 'ruby';

/** Only interpreters where systems install them: others may be anything under that name. */
const PROGRAMS: [Interpreter, RegExp][] = [
  ['python', /^\/usr\/(?:local\/)?bin\/python(?:[23][.\d]*)?$/],
  ['perl', /^\/usr\/(?:local\/)?bin\/perl(?:5[.\d]*)?$/],
  ['ruby', /^\/usr\/(?:local\/)?bin\/ruby(?:[.\d]*)?$/],
];

/** The interpreter that an executable is, by its path; ` (deleted)` after it does not matter. */
export const interpreterOf = (executable: string): Interpreter | null => {
  const path = executable.replace(/ \(deleted\)$/, '');
  return PROGRAMS.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
};

/** Java where it is installed, whichever of its runtimes. */
export const isJava = (executable: string): boolean =>
  /^\/.+\/bin\/java(?: \(deleted\))?$/.test(executable);

/** The archive or class that an open file is, by the link of its descriptor; null: it is something else. */
export const openedClasses = (link: string): { path: string; deleted: boolean } | null => {
  const [, path, deleted] = /^(\/.+\.(?:jar|class))( \(deleted\))?$/s.exec(link) ?? [];
  return path === undefined ? null : { path, deleted: deleted !== undefined };
};

/** One-letter options that take the rest of the word, or the next word, as their value. */
const WITH_VALUE: Record<Interpreter, string> = {
  python: 'QWX',
  perl: 'IMmDxFCV',
  ruby: 'ICKEFTWrx',
};
/** Options after which there is no file: the program stands in the command line. */
const INLINE: Record<Interpreter, string> = { python: 'c', perl: 'eE', ruby: 'e' };
/** perl and ruby take the value of these only in the same word. */
const GLUED: Record<Interpreter, string> = { python: '', perl: 'MmDxFCV', ruby: 'KTWxF' };

/** What an interpreter was started to run. */
export type Program = { kind: 'script'; path: string } | { kind: 'module'; name: string } | null;

/** The program in an interpreter's argument vector; null for one in the command line itself. */
export const programOf = (interpreter: Interpreter, argv: readonly string[]): Program => {
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      const next = argv[at + 1];
      return next === undefined ? null : { kind: 'script', path: next };
    }
    if (word.startsWith('--')) {
      if (word === '--check-hash-based-pycs') at += 1;
      continue;
    }
    if (word === '-') return null;
    if (!word.startsWith('-')) return { kind: 'script', path: word };
    for (let letter = 1; letter < word.length; letter += 1) {
      const option = word[letter] ?? '';
      const rest = word.slice(letter + 1);
      if (INLINE[interpreter].includes(option)) return null;
      if (interpreter === 'python' && option === 'm') {
        const name = rest === '' ? argv[at + 1] : rest;
        return name === undefined ? null : { kind: 'module', name };
      }
      if (WITH_VALUE[interpreter].includes(option)) {
        if (rest === '' && !GLUED[interpreter].includes(option)) at += 1;
        break;
      }
    }
  }
  return null;
};

/** Files, relative to a directory of the search path, that a module's name may stand for. */
export const moduleFiles = (interpreter: Interpreter, name: string): string[] => {
  switch (interpreter) {
    case 'python': {
      const path = name.replaceAll('.', '/');
      return [`${path}.py`, `${path}/__init__.py`];
    }
    case 'perl':
      return [`${name.replaceAll('::', '/')}.pm`];
    case 'ruby':
      return [name.endsWith('.rb') ? name : `${name}.rb`];
  }
};

const PRAGMAS = /^(?:constant|strict|utf8|vars|warnings|v5.*)$/;

/** Modules that a source file names at the beginning of its lines, as needrestart reads them. */
export const importsOf = (interpreter: Interpreter, source: string): string[] => {
  const names = new Set<string>();
  for (const line of source.split('\n'))
    switch (interpreter) {
      case 'python': {
        const from = /^\s*from\s+([\w.]+)\s+import\s+(.*)/.exec(line);
        if (from !== null) {
          names.add(from[1] ?? '');
          for (const name of (from[2] ?? '').split(/[,\s()]+/))
            if (/^\w+$/.test(name)) names.add(`${from[1] ?? ''}.${name}`);
        }
        const all = /^\s*import\s+(.*)/.exec(line)?.[1] ?? '';
        for (const part of all.split(',')) names.add(/^\s*([\w.]+)/.exec(part)?.[1] ?? '');
        break;
      }
      case 'perl': {
        const name = /^\s*(?:use|require)\s+([A-Za-z][\w:]*)/.exec(line)?.[1] ?? '';
        if (!PRAGMAS.test(name)) names.add(name);
        break;
      }
      case 'ruby':
        names.add(/^\s*(?:require|load)\s*\(?\s*["']([^"']+)["']/.exec(line)?.[1] ?? '');
        break;
    }
  // A relative import of Python begins with dots: it names files beside the importing one.
  return [...names].map((name) => name.replace(/^\.+/, '')).filter((name) => name !== '');
};
