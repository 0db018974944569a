import { countOf } from './print.ts';
import type { HostView } from './views.ts';

type StaleProcess = HostView['staleHostProcesses'][number];

/** So many units or processes are named on one line; `--json` has all. */
const namedAtMost = 6;

const some = (names: readonly string[]): string =>
  names.length <= namedAtMost
    ? names.join(', ')
    : `${names.slice(0, namedAtMost).join(', ')} and ${names.length - namedAtMost} more`;

/** What the processes of a unit are: `nginx`, or `sshd, 3 processes`. */
const within = (processes: readonly StaleProcess[]): string => {
  const commands = [...new Set(processes.map(({ command }) => command))];
  const count =
    processes.length === 1 ? '' : `, ${countOf(processes.length, 'process', 'processes')}`;
  return `${commands.slice(0, 2).join(', ')}${commands.length > 2 ? ', …' : ''}${count}`;
};

/** Without these nobody can log in any more, or much goes down with them: a reboot is the safe restart. */
const needsReboot = /^(dbus|dbus-broker|systemd-logind)\.service$/;

/** How processes of a unit (null: of none) are given the present code. The first that fits holds; the last, for all others, is said first. */
const remedies: { of: (unit: string | null) => boolean; how: (units: string[]) => string }[] = [
  { of: (unit) => unit === null, how: () => 'restart each by hand, or reboot the host' },
  {
    of: (unit) => unit !== null && needsReboot.test(unit),
    how: () => 'reboot the host: they are not safely restarted',
  },
  { of: (unit) => unit === 'init.scope', how: () => 'systemctl daemon-reexec' },
  {
    of: (unit) => /\.scope$|^user@\d+\.service$/.test(unit ?? ''),
    how: () => 'ends with that session: log out there, or reboot the host',
  },
  { of: () => true, how: (units) => `systemctl restart ${units.join(' ')}` },
];

const unitsOf = (processes: readonly StaleProcess[]): Map<string | null, StaleProcess[]> => {
  const units = new Map<string | null, StaleProcess[]>();
  for (const process of processes)
    units.set(process.unit, [...(units.get(process.unit) ?? []), process]);
  return units;
};

/** In a few words, for the row of a host: its units that run old code, and how many processes have none. */
export const staleProcessNote = (processes: readonly StaleProcess[]): string => {
  const names = [...unitsOf(processes)].map(
    ([unit, within]) => unit ?? `${within.length} without a unit`,
  );
  return names.length === 0
    ? ''
    : `old code in ${names.slice(0, 2).join(', ')}${names.length > 2 ? ` and ${names.length - 2} more` : ''}`;
};

/**
 * What of a host itself runs old code, which nobody but its operator restarts: by unit, and what to do about
 * each kind.
 */
export const staleProcessLines = ({ id, staleHostProcesses }: HostView): string[] => {
  const left = unitsOf(staleHostProcesses);
  if (left.size === 0) return [];
  const lines = remedies.flatMap(({ of, how }) => {
    const found = [...left].filter(([unit]) => of(unit));
    for (const [unit] of found) left.delete(unit);
    if (found.length === 0) return [];
    const names = found.flatMap(([unit, processes]) =>
      unit === null
        ? processes.map(({ command, pid }) => `${command} (process ${pid})`)
        : [`${unit} (${within(processes)})`],
    );
    return [`  ${some(names)}: ${how(found.map(([unit]) => unit ?? ''))}`];
  });
  return [`${id} itself runs old code in what Groundswell does not restart:`, ...lines.reverse()];
};
