import { Option } from 'commander';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { Environment } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { formatProblem } from '../../config/problem.ts';
import { configOption } from '../config-option.ts';

export interface ConfigCheckDependencies {
  environment: Environment;
  write: (text: string) => void;
  setExitCode: (code: number) => void;
}

interface CheckOptions {
  config?: string;
  file?: string;
  json?: boolean;
}

/** `groundswell config check`: every problem with file, line and what is allowed; exit code 1 if there is one. */
export const registerConfigCheck = (program: Command, deps: ConfigCheckDependencies): void => {
  program
    .command('config')
    .description('look at the configuration of this machine')
    .command('check')
    .description('check the configuration, its drop-ins and the environment')
    .option(...configOption)
    .addOption(new Option('-f, --file <file>', 'as --config was called here').hideHelp())
    .option('--json', 'print JSON')
    .action(async ({ config, file = config, json = false }: CheckOptions) => {
      const { environment } = deps;
      const loaded = await loadConfig({
        file: file === undefined ? undefined : resolve(file),
        environment,
      });
      const { files } = loaded;
      if (!loaded.ok) deps.setExitCode(1);
      const notes = loaded.ok ? loaded.notes(Date.now()) : [];
      if (json) {
        const problems = loaded.ok ? [] : loaded.problems;
        deps.write(`${JSON.stringify({ ok: loaded.ok, files, problems, notes }, null, 2)}\n`);
      } else if (!loaded.ok) {
        const lines = loaded.problems.map((problem) => formatProblem(problem));
        deps.write(lines.map((line) => `${line}\n`).join(''));
      } else {
        const names = loaded.config.services.map(({ name }) => name);
        const services = names.length === 0 ? 'no services' : `services ${names.join(', ')}`;
        deps.write(
          files.length === 0
            ? 'ok: there is no configuration file, so everything has its default\n'
            : `ok: ${files.join(', ')} (${services})\n`,
        );
        for (const note of notes) deps.write(`note: ${formatProblem(note)}\n`);
      }
    });
};
