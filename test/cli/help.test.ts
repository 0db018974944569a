import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { commandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';

let line: CommandLine;
/** What the parser of the command line says itself. */
let said: string;
beforeEach(async () => {
  line = await commandLine({});
  said = '';
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await line.close();
});

test.each([
  [['help', 'scna'], "error: unknown command 'scna'\n"],
  [['help', 'paus'], "error: unknown command 'paus'\n(Did you mean pause?)\n"],
  [['help', 'host', 'ad'], "error: unknown command 'host ad'\n(Did you mean host add?)\n"],
])('%j names what there is not', async (argv, error) => {
  expect((await line.type(...argv)).code).toBe(2);
  expect(said).toMatch(new RegExp(`^${error.replace(/[()?]/g, '\\$&')}`));
  expect(said).not.toContain('Usage:');
});

test.each([
  [['help'], 'groundswell [options] [command]'],
  [['help', 'pause'], 'groundswell pause [options]'],
  [['help', 'host', 'add'], 'groundswell host add [options] <id>'],
])('%j is help, and no error', async (argv, usage) => {
  expect((await line.type(...argv)).code).toBe(0);
  expect(said).toContain(`Usage: ${usage}`);
});
