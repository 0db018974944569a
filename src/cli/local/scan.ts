import type { Command } from 'commander';
import { createLxcRuntime } from '../../host/lxc/lxc-runtime.ts';
import { layersOf } from '../../host/proc/layers-of.ts';
import { scanHost } from '../../host/proc/scan-host.ts';
import type { HostScan } from '../../host/proc/scan-host.ts';
import type { ContainerRoot } from '../../host/proc/scan-surroundings.ts';
import type { RuntimeContainer, RuntimeState } from '../../host/runtime.ts';
import { terminalWidth } from '../print.ts';
import { mustBeThere } from './lxc-path.ts';
import { scanExitCode, scanReport } from './scan-report.ts';
import { scanText } from './scan-text.ts';

/** What the command works with; others than the real ones only in tests. */
export interface ScanDependencies {
  mustBeThere: (lxcPath: string) => Promise<void>;
  runtime: (lxcPath: string) => {
    list: () => Promise<RuntimeContainer[]>;
    states: (names: readonly string[]) => Promise<ReadonlyMap<string, RuntimeState>>;
  };
  scan: (containers: readonly ContainerRoot[]) => Promise<HostScan>;
  write: (text: string) => void;
  /** Whether standard output is a terminal: colours. */
  interactive: boolean;
  /** Its columns; Infinity where there is none. */
  width: number;
  isRoot: boolean;
  setExitCode: (code: number) => void;
}

const realDependencies = (): ScanDependencies => ({
  mustBeThere,
  runtime: (lxcPath) => createLxcRuntime({ lxcPath }),
  scan: (containers) => scanHost({ containers }),
  write: (text) => process.stdout.write(text),
  interactive: process.stdout.isTTY,
  width: terminalWidth(),
  isRoot: process.getuid?.() === 0,
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

interface Options {
  json?: boolean;
  verbose?: boolean;
  lxcPath: string;
}

/**
 * `groundswell scan`: which containers of this host run outdated code and why, which carry shadowed
 * copies. Needs no server, Redis or configuration; changes nothing. Fails unless it is run by root.
 */
export const registerScan = (
  program: Command,
  usualLxcPath: string,
  deps: ScanDependencies = realDependencies(),
): void => {
  program
    .command('scan')
    .description('list which containers of this host run outdated code, and why')
    .option('--json', 'print JSON')
    .option('-v, --verbose', 'list every process and file')
    .option('--lxc-path <directory>', 'where LXC keeps its containers', usualLxcPath)
    .addHelpText(
      'after',
      '\nExit codes: 0 all is current; 10 something is stale or shadowed; 11 something could not be read; 1 error.',
    )
    .action(async ({ json = false, verbose = false, lxcPath }: Options) => {
      if (!deps.isRoot)
        throw new Error(
          "scan reads the memory maps of all processes and the containers' layers: run it again with sudo",
        );
      await deps.mustBeThere(lxcPath);
      const runtime = deps.runtime(lxcPath);
      const listed = await runtime.list();
      const containers = layersOf(listed);
      const states = await runtime.states(containers.map(({ name }) => name));
      const report = scanReport({ listed, lxcPath }, states, await deps.scan(containers));
      const text = json
        ? JSON.stringify(report, null, 2)
        : scanText(report, { verbose, colours: deps.interactive, width: deps.width, lxcPath });
      deps.write(`${text}\n`);
      deps.setExitCode(scanExitCode(report));
    });
};
