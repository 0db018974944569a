import { transformSync } from '@swc/core';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokenText } from '../mutants/broken-text.ts';
import type { TextBreak } from '../mutants/broken-text.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Compiled copies lie below `node_modules`, so that they find zod. */
export const cacheFolder = join(root, 'node_modules/.cache/groundswell-model');

const compile = (text: string): string =>
  transformSync(text, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  }).code.replace(/(from\s*["'][^"']+)\.ts(["'])/g, '$1.js$2');

/** One rule taken out of the real code. */
export interface Break extends TextBreak {
  /** Below `src/core`. */
  file: string;
}

const compiledFiles = new Map<string, string>();

/** Of each broken core all files but one are the same. */
const compiled = (path: string): string => {
  const known = compiledFiles.get(path) ?? compile(readFileSync(join(root, path), 'utf8'));
  compiledFiles.set(path, known);
  return known;
};

const compileFolder = (from: string, to: string, rule: Break | null): void => {
  mkdirSync(join(cacheFolder, to), { recursive: true });
  for (const entry of readdirSync(join(root, from), { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
    const isBroken = rule !== null && path === join('src/core', rule.file);
    writeFileSync(
      join(cacheFolder, to, entry.name.replace(/\.ts$/, '.js')),
      isBroken
        ? compile(brokenText(readFileSync(join(root, path), 'utf8'), rule, path))
        : compiled(path),
    );
  }
};

/**
 * Compile the core, with one rule broken or none, to `name` in the cache. Fails unless the text of the rule
 * stands in its file exactly once.
 */
export const compileCore = (name: string, rule: Break | null): string => {
  for (const folder of ['', 'advisories', 'agent', 'coordinator', 'versions'])
    compileFolder(join('src/core', folder), join(name, 'src/core', folder), rule);
  writeFileSync(join(cacheFolder, name, 'package.json'), '{"type":"module"}');
  return join(cacheFolder, name, 'src/core');
};

/** Compile the core and the files of tests that workers run beside it; answers the folder that holds both. */
const compileTests = (name: string, folders: readonly string[]): string => {
  compileCore(name, null);
  for (const folder of folders) compileFolder(folder, join(name, folder), null);
  return join(cacheFolder, name);
};

/** Compile the core and the model; answers the file that workers run. */
export const compileModel = (name: string): string =>
  join(compileTests(name, ['test/model']), 'test/model/explore.child.js');

/** The same of the simulation, which shares judges with the model. */
export const compileSimulation = (name: string): string =>
  join(compileTests(name, ['test/model', 'test/simulation']), 'test/simulation/simulate.child.js');
