import { Command, CommanderError } from 'commander';
import type { Argument } from 'commander';
import { errorText } from '../core/error-text.ts';
import { registerAdvisories } from './advisories.ts';
import { registerAsk } from './ask.ts';
import { registerAudit } from './audit.ts';
import { registerDecisions } from './decide.ts';
import { deniedText } from './denied.ts';
import { registerFeeds } from './feeds.ts';
import { registerHelp } from './help.ts';
import { registerHosts } from './hosts.ts';
import { registerLook } from './look.ts';
import type { CliDependencies } from './remote.ts';
import { registerStatus } from './status.ts';
import { registerWaves } from './waves.ts';

/** Exit codes of every command (docs/reference/exit-codes.md). */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** What `--help` lists together; a command that is named nowhere stands under "Commands". */
const groups: Record<string, readonly string[]> = {
  'See:': [
    ...['status', 'hosts', 'services', 'containers', 'waves', 'wave', 'plan', 'why'],
    ...['queues', 'audit', 'advisories', 'advisory', 'feeds'],
  ],
  'Decide:': [
    ...['upgrade', 'restart', 'approve', 'decline', 'pause', 'resume', 'retry', 'stop'],
    ...['freeze', 'unfreeze', 'allow-outage', 'park', 'unpark', 'host'],
  ],
  'This host, without a server:': [
    ...[
      'scan',
      'container',
      'config',
      'backup',
      'restore',
      'doctor',
      'setup',
      'uninstall',
      'match',
      'versions',
      'inventory',
      'platform',
    ],
  ],
  'Run:': ['up', 'server', 'agent'],
};

const argumentTerm = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

const groupCommands = (program: Command): void => {
  for (const [heading, names] of Object.entries(groups))
    for (const command of program.commands)
      if (names.includes(command.name())) command.helpGroup(heading);
};

/** The whole command line; `registerMore` adds what is wired elsewhere: local verbs and processes. */
export const createProgram = (
  version: string,
  deps: CliDependencies,
  registerMore: readonly ((program: Command) => void)[],
): Command => {
  const program = new Command('groundswell');
  program
    .description(
      'Patches container hosts and restarts exactly the containers that still run the old code.',
    )
    .version(version)
    .configureHelp({
      sortSubcommands: true,
      // Without "[options]", so that the descriptions fit beside it at 80 columns.
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    });
  for (const register of [
    registerStatus,
    registerWaves,
    registerDecisions,
    registerAsk,
    registerLook,
    registerAudit,
    registerHosts,
    registerFeeds,
    registerAdvisories,
  ])
    register(program, deps);
  for (const register of registerMore) register(program);
  registerHelp(program);
  groupCommands(program);
  return program;
};

/** Commands that say more where the local verbs are there: one of them stands below `audit`. */
const saysMoreWithLocal: readonly string[] = ['audit', 'help'];

/** Whether a program without the local verbs answers this command line just as the whole one does. */
export const isWhole = (program: Command, words: readonly string[]): boolean => {
  const [name = ''] = words;
  const isThere = program.commands.some((command) => command.name() === name);
  return isThere && !saysMoreWithLocal.includes(name);
};

/** Also for the commands below commands: a usage error anywhere ends with the same code. */
const throwInsteadOfExit = (command: Command, name: string, quietly: boolean): void => {
  command.exitOverride();
  if (quietly) command.configureOutput({ writeErr: () => undefined });
  else command.showHelpAfterError(`(more: ${name} --help)`);
  for (const below of command.commands)
    throwInsteadOfExit(below, `${name} ${below.name()}`, quietly);
};

/**
 * Run a command line and answer its exit code; what an operator did wrong is one sentence, never a stack trace.
 * With --json it is JSON as the API has it, `{"error": "…"}`, on a line of its own.
 */
export const runProgram = async (
  program: Command,
  argv: readonly string[],
  writeError: (text: string) => void,
): Promise<number> => {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const json = words.includes('--json');
  const say = (message: string): void => {
    writeError(json ? `${JSON.stringify({ error: message })}\n` : `groundswell: ${message}\n`);
  };
  throwInsteadOfExit(program, program.name(), json);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      // In plain text the parser has said it already, with where to read more.
      if (json) say(error.message.replace(/^error: /, ''));
      return exitCodes.usage;
    }
    say(deniedText(error, process.getuid?.() === 0) ?? errorText(error));
    return exitCodes.failed;
  }
};
