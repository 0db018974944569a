import { hostname, userInfo } from 'node:os';
import process from 'node:process';
import type { Command } from 'commander';
import { configOption } from '../cli/config-option.ts';
import { createProgram, isWhole, runProgram } from '../cli/program.ts';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load-config.ts';
import { Configuration } from '../config/schema.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';
import type { KeyQuestion } from './own-keys.ts';
import { version } from './version.ts';

/** The person behind sudo(8), where there is one: that is whom the record should name. */
const actor = (): string =>
  `${processEnvironment()['SUDO_USER'] ?? userInfo().username}@${hostname()}`;

endQuietlyWithReader([process.stdout, process.stderr], (code) => process.exit(code));

// A wrong configuration is told by the commands that need it; the others go on with the usual places.
const loaded = await loadConfig({ environment: processEnvironment() });
const config = loaded.ok ? loaded.config : Configuration.parse({});

/** Loaded by the commands that need it: everybody else starts in a fraction of the time. */
const processes = () => import('./processes.ts');
const keys = () => import('./own-keys.ts');

const asksForKeys = ({ showKey, newKey, switchKey }: KeyQuestion): boolean =>
  showKey === true || newKey === true || switchKey === true;

/** Whether a server or agent was run, and is over. */
const long = { over: false };
const untilOver = async (running: Promise<void>): Promise<void> => {
  await running.finally(() => {
    long.over = true;
  });
};

interface AgentOptions extends KeyQuestion {
  config?: string;
  trust?: string[];
  redisUser?: boolean;
}

const registerProcesses = (program: Command): void => {
  program
    .command('up')
    .description('server, agent and their own Redis in one process: for a single host')
    .option(...configOption)
    .action(async (options: { config?: string }) =>
      untilOver((await processes()).runAllInOne(options.config)),
    );
  program
    .command('server')
    .description('the server of a fleet of several hosts')
    .option(...configOption)
    .option('--show-key', 'print the public keys that agents must be told to trust, and end')
    .option('--new-key', 'make a second key, print both public keys, and end')
    .option('--switch-key', 'sign with the second key from the next start on, and end')
    .action(async ({ config, ...asked }: { config?: string } & KeyQuestion) => {
      if (asksForKeys(asked)) process.stdout.write(await (await keys()).serverKeys(config, asked));
      else await untilOver((await processes()).serve(config));
    });
  program
    .command('agent')
    .description('the agent of this host, for a server elsewhere')
    .option(...configOption)
    .option('--show-key', 'print what the server must be given to believe this host, and end')
    .option('--new-key', 'make a second key, print what the server must be given, and end')
    .option('--switch-key', 'sign with the second key from the next start on, and end')
    .option(
      '--trust <public-key...>',
      'believe a server by what `groundswell server --show-key` prints there, and end',
    )
    .option(
      '--redis-user',
      "print a line for Redis's ACL file that lets this host's agent do its work and no more, and end",
    )
    .action(async ({ config, trust, redisUser, ...asked }: AgentOptions) => {
      if (redisUser === true)
        process.stdout.write(await (await import('./redis-user-line.ts')).redisUserLine(config));
      else if (trust !== undefined)
        process.stdout.write(await (await keys()).trustServer(config, trust));
      else if (asksForKeys(asked))
        process.stdout.write(await (await keys()).agentKeys(config, asked));
      else await untilOver((await processes()).beAgent(config));
    });
};

const deps = {
  socketPath: config.server.socket,
  actor: actor(),
  write: (text: string): void => {
    process.stdout.write(text);
  },
  interactive: process.stdout.isTTY,
  setExitCode: (code: number): void => {
    process.exitCode = code;
  },
};
const words = process.argv.slice(2);
let program = createProgram(version, deps, [registerProcesses]);
if (!isWhole(program, words)) {
  // They know the whole host: a command that asks the server starts in half the time without them.
  const { registerLocal } = await import('./local-commands.ts');
  program = createProgram(version, deps, [
    registerProcesses,
    (to) => {
      registerLocal(to, { config, loaded }, deps);
    },
  ]);
}
const code = await runProgram(program, words, (text) => process.stderr.write(text));
if (code !== 0) process.exitCode = code;
// A package manager that an agent has begun goes on without it, and must not hold up its end: the postinst of a package may
// be what waits for that. The next agent finds it (R24).
if (long.over) process.exit();
