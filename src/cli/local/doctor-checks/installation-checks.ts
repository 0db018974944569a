import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../../../config/load-config.ts';
import { formatProblem } from '../../../config/problem.ts';
import { findHookPlugins } from '../../../host/dnf/find-hook-plugin.ts';
import { packageSystemOf } from '../../../host/packages/package-system.ts';
import { countOf } from '../../print.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck, Finding } from '../doctor.ts';
import { desiredEntries, unitDirectory } from '../installation/desired.ts';
import type { DesiredEntry, DesiredOptions } from '../installation/desired.ts';

export interface InstallationCheckOptions {
  root: string;
  desired: DesiredOptions;
  loadConfig: () => Promise<LoadedConfig>;
  /** What else restarts containers or the host in package transactions. */
  otherRestarters: () => Promise<{ path: string; line: number; what: string; remedy: string }[]>;
}

const SETUP = 'run `groundswell setup`';
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

const examineEntry = async (root: string, entry: DesiredEntry): Promise<Finding | null> => {
  const path = join(root, entry.path);
  const found = await lstat(path).catch(() => null);
  if (found === null) return fail(`${entry.path} is not there`, SETUP);
  if (entry.kind === 'directory' ? !found.isDirectory() : !found.isFile())
    return fail(`${entry.path} is no ${entry.kind}`, 'move it away, and run `groundswell setup`');
  if (found.uid !== 0)
    return fail(`${entry.path} does not belong to root`, `chown root:root ${path}`);
  const mode = found.mode & 0o7777;
  if (mode !== entry.mode) {
    const message = `${entry.path} has mode ${octal(mode)}, wants ${octal(entry.mode)}`;
    const remedy = `chmod ${octal(entry.mode)} ${path}`;
    // Secrets that others can read, and hooks that cannot be run, are more than untidy.
    return (mode & ~entry.mode) !== 0 || (entry.mode & ~mode & 0o111) !== 0
      ? fail(message, remedy)
      : warn(message, remedy);
  }
  if (entry.kind === 'file' && !entry.editable && (await readFile(path, 'utf8')) !== entry.content)
    return warn(`${entry.path} is not what this version installs`, SETUP);
  return null;
};

const examineAll = async (
  { root, desired }: InstallationCheckOptions,
  wanted: (entry: DesiredEntry) => boolean,
  good: string,
): Promise<Finding[]> => {
  const entries = (await desiredEntries(desired, packageSystemOf(root))).filter(wanted);
  const findings = await Promise.all(entries.map((entry) => examineEntry(root, entry)));
  const bad = findings.filter((finding) => finding !== null);
  return bad.length === 0 ? [ok(good)] : bad;
};

/** dnf calls hooks by a plugin, which is a package of its own. */
const pluginFindings = async (root: string): Promise<Finding[]> => {
  if (packageSystemOf(root) === 'dpkg') return [];
  const plugins = await findHookPlugins(root);
  if (plugins.length === 0)
    return [
      warn(
        'there is no dnf 4 or 5: upgrades by others are seen, but none can be made from here',
        'install dnf',
      ),
    ];
  return plugins.map(({ dnf, package: name, installed }) =>
    installed
      ? ok(`${dnf} has the plugin that calls hooks`)
      : warn(
          `${dnf} calls no hooks: its transactions are found by looking at the database, some seconds later`,
          `dnf install ${name}`,
        ),
  );
};

const isUnit = ({ path }: DesiredEntry): boolean => path.startsWith(unitDirectory);

const isNeeded = (entry: DesiredEntry): boolean =>
  entry.kind === 'file' && !entry.editable && !entry.optional;

/** Whether setup has put any of its hooks or units there, however much of it is still right. */
export const isSetUp = async ({
  root,
  desired,
}: Pick<InstallationCheckOptions, 'root' | 'desired'>): Promise<boolean> => {
  const entries = (await desiredEntries(desired, packageSystemOf(root))).filter(isNeeded);
  const found = await Promise.all(
    entries.map(({ path }) => lstat(join(root, path)).catch(() => null)),
  );
  return found.some((entry) => entry !== null);
};

/** What setup installs, the configuration, and that nothing else restarts what is ours. */
export const installationChecks = (options: InstallationCheckOptions): DoctorCheck[] => [
  {
    name: 'hooks',
    afterSetup: true,
    run: () =>
      examineAll(
        options,
        (entry) => isNeeded(entry) && !isUnit(entry),
        packageSystemOf(options.root) === 'dpkg'
          ? 'the hooks of apt, dpkg and needrestart are installed'
          : 'the hooks of dnf and needrestart are installed',
      ),
  },
  {
    name: 'hook plugins',
    run: () => pluginFindings(options.root),
  },
  {
    name: 'directories',
    afterSetup: true,
    run: () =>
      examineAll(
        options,
        (entry) => entry.kind === 'directory',
        'configuration, data and spool belong to root and are closed to others',
      ),
  },
  {
    name: 'units',
    afterSetup: true,
    run: async () => {
      const running = await lstat(join(options.root, 'run/systemd/system')).catch(() => null);
      if (running === null) return [ok('systemd does not run here, so no units are needed')];
      return examineAll(options, isUnit, 'the units are installed');
    },
  },
  {
    name: 'configuration',
    afterSetup: true,
    run: async () => {
      const loaded = await options.loadConfig();
      if (loaded.ok)
        return [
          loaded.config.services.length > 0
            ? ok(`valid, ${countOf(loaded.config.services.length, 'service')}`)
            : warn(
                'valid, but no services: every container belongs to <host>/unassigned, one restart at a time',
                'declare services in /etc/groundswell/config.yaml',
              ),
        ];
      return loaded.problems.map((problem) =>
        fail(formatProblem(problem), 'mend it, then `groundswell config check`'),
      );
    },
  },
  {
    name: 'other restarters',
    run: async () => {
      const others = await options.otherRestarters();
      if (others.length === 0) return [ok('nothing else restarts containers or the host')];
      return others.map(({ path, line, what, remedy }) =>
        fail(`${path}${line === 0 ? '' : `:${line}`}: ${what}`, remedy),
      );
    },
  },
];
