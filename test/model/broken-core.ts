import { transformSync } from '@swc/core';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCore } from './core.ts';
import type { Core } from './core.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const sources = join(root, 'src/core');
/** Below `node_modules`, so that the copies find zod. */
const cache = join(root, 'node_modules/.cache/groundswell-model', String(process.pid));

/** One rule taken out of the real code: a stretch of text of one file, and what stands there instead. */
export interface Break {
  file: string;
  from: string;
  to: string;
}

const compile = (text: string): string =>
  transformSync(text, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  }).code.replace(/(from\s*["'][^"']+)\.ts(["'])/g, '$1.js$2');

/** Spaces and line ends do not count, so that formatting does not hide a rule from its break. */
const loosely = (text: string): RegExp =>
  new RegExp(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
    'g',
  );

/** The real core with one rule broken. Fails unless the text to be replaced stands there exactly once. */
export const loadBrokenCore = async (name: string, { file, from, to }: Break): Promise<Core> => {
  const folder = join(cache, name.replace(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  writeAll(sources, folder, (path, text) => {
    if (path !== join(sources, file)) return text;
    const found = text.match(loosely(from))?.length ?? 0;
    if (found !== 1)
      throw new Error(`${file} holds the text of "${name}" ${found} times, not once`);
    return text.replace(loosely(from), () => to);
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return loadCore(folder, '.js');
};

const writeAll = (
  from: string,
  to: string,
  change: (path: string, text: string) => string,
): void => {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) {
      if (['agent', 'coordinator'].includes(entry.name))
        writeAll(path, join(to, entry.name), change);
    } else if (entry.name.endsWith('.ts'))
      writeFileSync(
        join(to, entry.name.replace(/\.ts$/, '.js')),
        compile(change(path, readFileSync(path, 'utf8'))),
      );
  }
};

export const removeBrokenCores = (): void => {
  rmSync(cache, { recursive: true, force: true });
};
