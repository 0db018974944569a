import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageSystem } from '../../../host/packages/package-system.ts';

/** A directory or file that an installation consists of. Paths are those of the host, whatever `--root` says. */
export type DesiredEntry =
  | { kind: 'directory'; path: string; mode: number }
  | {
      kind: 'file';
      path: string;
      mode: number;
      content: string;
      /** An operator's to change: never overwritten, and kept by uninstall once it was changed. */
      editable: boolean;
      /** Can be done without: where somebody else's file is in its place, that one stays. */
      optional: boolean;
    };

export const units = {
  up: 'groundswell.service',
  server: 'groundswell-server.service',
  agent: 'groundswell-agent.service',
} as const;
export type Role = keyof typeof units;

export interface DesiredOptions {
  /** Text of a file of `packaging/`. */
  readPackaging: (name: string) => Promise<string>;
  /** Absolute paths that the units call. */
  nodePath: string;
  binPath: string;
  dataDirectory: string;
  spoolDirectory: string;
}

export const manifestPath = '/var/lib/groundswell/installed.json';
export const configPath = '/etc/groundswell/config.yaml';
export const hookPath = '/usr/lib/groundswell/groundswell-hook';

/** What tells each package system of our hook: source below `packaging/`, path on the host. */
const callers: Readonly<Record<PackageSystem, readonly (readonly [string, string])[]>> = {
  dpkg: [
    ['hooks/50groundswell.apt.conf', '/etc/apt/apt.conf.d/50groundswell'],
    ['hooks/groundswell.dpkg.cfg', '/etc/dpkg/dpkg.cfg.d/groundswell'],
  ],
  rpm: [
    ['hooks/groundswell.action', '/etc/dnf/plugins/post-transaction-actions.d/groundswell.action'],
    ['hooks/groundswell.actions', '/etc/dnf/libdnf5-plugins/actions.d/groundswell.actions'],
  ],
};

/** Where the hook leaves its notes as it is shipped. */
const usualSpool = '/var/spool/groundswell';
export const unitDirectory = '/etc/systemd/system/';
/** In every PATH, also that of sudo(8). */
export const commandPath = '/usr/local/bin/groundswell';

/** One word of ExecStart, systemd.service(5). */
const systemdWord = (word: string): string =>
  `"${word.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;

/** One word for sh(1). */
const shellWord = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The hook reads no configuration: where its notes go stands in its text. */
const withSpool = (hook: string, spoolDirectory: string): string =>
  spoolDirectory === usualSpool
    ? hook
    : hook.replace(
        `usual_spool=${usualSpool}\n`,
        () => `usual_spool=${shellWord(spoolDirectory)}\n`,
      );

const directory = (path: string, mode: number): DesiredEntry => ({
  ...{ kind: 'directory', path, mode },
});

/**
 * Everything that `groundswell setup` puts on a host of a package system, in the order in which it is safe: what is
 * called before what calls it. Removal goes the other way.
 */
export const desiredEntries = async (
  options: DesiredOptions,
  system: PackageSystem,
): Promise<DesiredEntry[]> => {
  const { nodePath, binPath } = options;
  const file = async (
    source: string,
    path: string,
    mode: number,
    more: {
      editable?: boolean;
      optional?: boolean;
      word?: (word: string) => string;
      change?: (text: string) => string;
    } = {},
  ): Promise<DesiredEntry> => {
    const { editable = false, optional = false, word = shellWord } = more;
    const shipped = await options.readPackaging(source);
    const text = more.change?.(shipped) ?? shipped;
    return {
      ...{ kind: 'file', path, mode, editable, optional },
      // A function, because a replacement text would have its own `$` signs interpreted.
      content: text.replaceAll('@GROUNDSWELL@', () => `${word(nodePath)} ${word(binPath)}`),
    };
  };
  const unit = (name: string): Promise<DesiredEntry> =>
    file(`systemd/${name}`, `${unitDirectory}${name}`, 0o644, { word: systemdWord });
  return [
    directory('/etc/groundswell', 0o700),
    directory('/etc/groundswell/config.d', 0o700),
    await file('config.yaml', configPath, 0o600, { editable: true }),
    // The manifest of what is installed lies here, wherever the data is.
    directory('/var/lib/groundswell', 0o700),
    ...(options.dataDirectory === '/var/lib/groundswell'
      ? []
      : [directory(options.dataDirectory, 0o700)]),
    directory(options.spoolDirectory, 0o700),
    await file('hooks/groundswell-hook', hookPath, 0o755, {
      change: (hook) => withSpool(hook, options.spoolDirectory),
    }),
    ...(await Promise.all(callers[system].map(([source, path]) => file(source, path, 0o644)))),
    await file(
      'hooks/needrestart-groundswell.conf',
      '/etc/needrestart/conf.d/zz-groundswell.conf',
      0o644,
    ),
    ...(await Promise.all(Object.values(units).map(unit))),
    await file('libexec/groundswell-command', commandPath, 0o755, { optional: true }),
  ];
};

/** Reads files of the `packaging` directory that ships with the program. */
export const packagingReader =
  (packagingDirectory: string) =>
  (name: string): Promise<string> =>
    readFile(join(packagingDirectory, name), 'utf8');
