import type { Command } from 'commander';
import { nearestKey } from '../config/nearest-key.ts';

/**
 * `help`, of all or of one command. The parser's own answers a name that it does not know with the whole help, and does not say
 * that it knows none of that name.
 */
export const registerHelp = (program: Command): void => {
  program.helpCommand(false);
  program
    .command('help')
    .argument('[command...]')
    .description('the same as <command> --help')
    .helpGroup('Run:')
    .action((words: string[]) => {
      let found = program;
      for (const [index, word] of words.entries()) {
        const names = found.commands.map((command) => command.name());
        const next = found.commands.find((command) => command.name() === word);
        if (next === undefined) {
          const path = words.slice(0, index);
          const near = nearestKey(word, names);
          const hint = near === null ? '' : `\n(Did you mean ${[...path, near].join(' ')}?)`;
          return program.error(`error: unknown command '${[...path, word].join(' ')}'${hint}`);
        }
        found = next;
      }
      found.help();
    });
};
