import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const { scripts } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { scripts: Record<string, string> };

/** `npm run NAME -- WORDS`: npm puts the words behind the script of that name. */
const COMPOSED = /^(.*?)npm run (?:--silent )?([\w:]+)(?: -- (.*))?$/;

/** The commands that a script comes to, each with all the words that it is given. */
const commandsOf = (script: string): string[] =>
  script.split(/&&|;/).flatMap((command) => {
    const [, before = '', name, words = ''] = COMPOSED.exec(command.trim()) ?? [];
    const inner = name === undefined ? undefined : scripts[name];
    return inner === undefined
      ? [command.trim()]
      : commandsOf(`${inner} ${words}`).map((one) => `${before}${one}`);
  });

const flagsTwice = (command: string): string[] => {
  const flags = [...command.matchAll(/ (--[\w-]+)/g)].map(([, flag = '']) => flag);
  return flags.filter((flag, at) => flags.indexOf(flag) < at);
};

test('what is composed of other scripts is seen as npm composes it', () => {
  expect(commandsOf(scripts['test:hostile'] ?? '')).toEqual([
    expect.stringMatching(/^GROUNDSWELL_LONG=1 .*jest .*--testPathPatterns producers\/hostile/),
  ]);
  expect(commandsOf(scripts['test:long'] ?? '').filter((one) => one.includes('jest'))).toHaveLength(
    5,
  );
});

/** Jest makes a list of a flag that it is given twice, and a limit of time of that list is 1 ms. */
test.each(Object.keys(scripts))('npm run %s gives no flag twice', (name) => {
  const twice = commandsOf(scripts[name] ?? '').filter((one) => flagsTwice(one).length > 0);
  expect(twice).toEqual([]);
});
