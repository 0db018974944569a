/** Languages whose programs are read, not mapped. */
export type Interpreter = 'python' | 'perl' | 'ruby' | 'php' | 'node';

/** Only interpreters where systems install them: others may be anything under that name. */
const PROGRAMS: [Interpreter, RegExp][] = [
  ['python', /^\/usr\/(?:local\/)?bin\/python(?:[23][.\d]*)?$/],
  ['perl', /^\/usr\/(?:local\/)?bin\/perl(?:5[.\d]*)?$/],
  ['ruby', /^\/usr\/(?:local\/)?bin\/ruby(?:[.\d]*)?$/],
  // Not php-fpm: what it runs, it reads anew for each request.
  ['php', /^\/usr\/(?:local\/)?bin\/php(?:[.\d]*)?$/],
  ['node', /^\/usr\/(?:local\/)?bin\/node(?:js)?(?:[.\d]*)?$/],
];

/** The interpreter that an executable is, by its path; ` (deleted)` after it does not matter. */
export const interpreterOf = (executable: string): Interpreter | null => {
  const path = executable.replace(/ \(deleted\)$/, '');
  return PROGRAMS.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
};

/** Java where it is installed, whichever of its runtimes. */
export const isJava = (executable: string): boolean =>
  /^\/.+\/bin\/java(?: \(deleted\))?$/.test(executable);

/** Whether a mapped program may be one that is read, not mapped: of most processes no other question is asked. */
export const mayInterpret = (path: string): boolean =>
  /\/(?:python|perl|ruby|php|node|java)[^/]*$/.test(path);

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
  php: 'cdStz',
  node: 'rC',
};
/** Options after which there is no file: the program stands in the command line. */
const INLINE: Record<Interpreter, string> = {
  python: 'c',
  perl: 'eE',
  ruby: 'e',
  php: 'arRBEF',
  node: 'ep',
};
/** perl and ruby take the value of these only in the same word. */
const GLUED: Record<Interpreter, string> = {
  python: '',
  perl: 'MmDxFCV',
  ruby: 'KTWxF',
  php: '',
  node: '',
};
/** Long options whose value may be the next word. */
const LONG_WITH_VALUE: Partial<Record<Interpreter, RegExp>> = {
  python: /^--check-hash-based-pycs$/,
  php: /^--(?:define|php-ini|server|docroot|zend-extension)$/,
  node: /^--(?:require|import|(?:experimental-)?loader|conditions|title|env-file|icu-data-dir|openssl-config)$/,
};
const LONG_INLINE: Partial<Record<Interpreter, RegExp>> = {
  php: /^--(?:run|interactive|process-(?:begin|code|file|end))$/,
  node: /^--(?:eval|print|test)(?:=|$)/,
};

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
      if (LONG_INLINE[interpreter]?.test(word) === true) return null;
      if (LONG_WITH_VALUE[interpreter]?.test(word) === true) at += 1;
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
      if (interpreter === 'php' && option === 'f') {
        const path = rest === '' ? argv[at + 1] : rest;
        return path === undefined ? null : { kind: 'script', path };
      }
      if (WITH_VALUE[interpreter].includes(option)) {
        if (rest === '' && !GLUED[interpreter].includes(option)) at += 1;
        break;
      }
    }
  }
  return null;
};
