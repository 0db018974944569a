import type { Interpreter } from './interpreted.ts';

/** Whether a name is a path, from the file that names it, and is not searched for. */
export const isBeside = (interpreter: Interpreter, name: string): boolean =>
  (interpreter === 'node' || interpreter === 'php') && /^(?:\.\.?(?:\/|$)|\/)/.test(name);

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
    case 'php':
      return [name];
    case 'node': {
      const files = ['.js', '.cjs', '.mjs', '/package.json', '/index.js'].map((end) => name + end);
      return /\.(?:[cm]?js|json)$/.test(name) ? [name, ...files] : files;
    }
  }
};

const PERL_PRAGMAS = /^(?:constant|strict|utf8|vars|warnings|v5.*)$/;

/** Modules that Node has built in, though files of the same names exist. */
const NODE_OWN =
  /^(?:node:.*|assert|buffer|console|constants|crypto|domain|events|fs|https?|os|path|process|punycode|querystring|stream|string_decoder|sys|timers|tty|url|util|vm|zlib)$/;

const pythonImports = (line: string): string[] => {
  const from = /^\s*from\s+([\w.]+)\s+import\s+(.*)/.exec(line);
  const all = /^\s*import\s+(.*)/.exec(line)?.[1] ?? '';
  const [, module = '', names = ''] = from ?? [];
  return [
    module,
    ...names
      .split(/[,\s()]+/)
      .filter((name) => /^\w+$/.test(name))
      .map((name) => `${module}.${name}`),
    ...all.split(',').map((part) => /^\s*([\w.]+)/.exec(part)?.[1] ?? ''),
  ];
};

/** `use A\B;` names the class that Debian's packages keep in `A/B.php`. */
const phpImports = (line: string): string[] => {
  const begin = /^\s*(?:<\?(?:php)?\s+)?/.exec(line)?.[0].length ?? 0;
  const rest = line.slice(begin);
  const used = /^use\s+\\?([A-Za-z_][\w\\]*)/.exec(rest)?.[1];
  if (used !== undefined)
    return used === 'function' || used === 'const' ? [] : [`${used.replaceAll('\\', '/')}.php`];
  const required =
    /^(?:return\s+|\$\w+\s*=\s*)?(?:require|include)(?:_once)?\b\s*\(?\s*(__DIR__\s*\.|dirname\(__FILE__\)\s*\.)?\s*(["'])([^"']+)\2/.exec(
      rest,
    );
  if (required === null) return [];
  const [, here, , path = ''] = required;
  return [here === undefined ? path : `./${path.replace(/^\/+/, '')}`];
};

/** What a `package.json` calls its program, and each file that it exports. */
const packageFiles = (source: string): string[] => [
  ...[...source.matchAll(/"main"\s*:\s*"([^"*]+)"/g)].map(([, path = '']) =>
    path.startsWith('./') ? path : `./${path}`,
  ),
  ...[...source.matchAll(/"(\.\/[^"*]+\.[cm]?js)"/g)].map(([, path = '']) => path),
];

const nodeImports = (line: string): string[] =>
  [
    ...line.matchAll(/\b(?:require|import)\(\s*["']([^"']+)["']/g),
    ...line.matchAll(/\bfrom\s*["']([^"']+)["']/g),
    ...line.matchAll(/^\s*import\s*["']([^"']+)["']/g),
  ]
    .map(([, name = '']) => name)
    .filter((name) => !NODE_OWN.test(name));

const importsOfLine = (interpreter: Interpreter, line: string): string[] => {
  switch (interpreter) {
    case 'python':
      return pythonImports(line);
    case 'perl': {
      const name = /^\s*(?:use|require)\s+([A-Za-z][\w:]*)/.exec(line)?.[1] ?? '';
      return PERL_PRAGMAS.test(name) ? [] : [name];
    }
    case 'ruby':
      return [/^\s*(?:require|load)\s*\(?\s*["']([^"']+)["']/.exec(line)?.[1] ?? ''];
    case 'php':
      return phpImports(line);
    case 'node':
      return nodeImports(line);
  }
};

/** More of one file, and longer ones, are nobody's imports. */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 200;

/** Modules that a source file names, as needrestart reads them: mostly at the beginning of its lines. */
export const importsOf = (interpreter: Interpreter, source: string): string[] => {
  const names = new Set<string>();
  const isPackage = interpreter === 'node' && source.trimStart().startsWith('{');
  // One blank for many: what is optional between two words is then found without trying each division of them.
  const text = source.replace(/[^\S\n]{2,}/g, ' ');
  const parts = isPackage ? [text] : text.split('\n');
  for (const part of parts) {
    for (const name of isPackage ? packageFiles(part) : importsOfLine(interpreter, part)) {
      // A relative import of Python begins with dots: it names files beside the importing one.
      const bare = isBeside(interpreter, name) ? name : name.replace(/^\.+/, '');
      if (bare !== '' && bare.length <= MAX_NAME_LENGTH) names.add(bare);
    }
    if (names.size >= MAX_NAMES) break;
  }
  return [...names].slice(0, MAX_NAMES);
};
