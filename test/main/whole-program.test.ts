import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram, isWhole } from '../../src/cli/program.ts';
import type { LoadedConfig } from '../../src/config/load-config.ts';
import { Configuration } from '../../src/config/schema.ts';
import { registerLocal } from '../../src/main/local-commands.ts';

const deps = {
  ...{ socketPath: '/nowhere', actor: 'ann', interactive: false },
  ...{ write: () => undefined, setExitCode: () => undefined },
};
const remote = createProgram('0', deps, []);
const whole = createProgram('0', deps, [
  (to) => {
    const loaded: LoadedConfig = { ok: false, problems: [], files: [] };
    registerLocal(to, { config: Configuration.parse({}), loaded }, deps);
  },
]);

const helpOf = (program: Command, name: string): string | undefined => {
  const command = program.commands.find((one) => one.name() === name);
  return command && [command, ...command.commands].map((one) => one.helpInformation()).join('\n');
};

test.each(whole.commands.map((command) => command.name()))(
  '`%s` is the same in a program without the local verbs, or is asked of the whole one',
  (name) => {
    const same = helpOf(remote, name) === helpOf(whole, name);
    // `help` is about all of them.
    expect(isWhole(remote, [name])).toBe(same && name !== 'help');
  },
);

test.each([[[]], [['--help']], [['stauts']], [['--version']]])(
  '%j is asked of the whole one',
  (words) => {
    expect(isWhole(remote, words)).toBe(false);
  },
);
