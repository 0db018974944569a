import { Unreadable } from '../../core/unreadable.ts';

/** A version that a simulation would install, and where it comes from. */
export interface SimulatedInstall {
  name: string;
  arch: string;
  /** Null: newly installed. */
  from: string | null;
  to: string;
  origins: readonly string[];
}

export interface Simulation {
  installs: SimulatedInstall[];
  /** Packages that would be removed or purged, with their versions. */
  removes: { name: string; version: string }[];
  /** Packages that apt would configure: those installed, and any left unconfigured before. */
  configures: string[];
  keptBack: string[];
}

// Inst name[:arch] [old] (new Label:12/suite, Other:1/suite [arch]) [broken dependencies]
const INST = /^Inst (\S+?)(?::\S+)? (?:\[([^\]]*)\] )?\((\S+) (.*?) ?\[([^\][]+)\]\)/;
const REMOVE = /^(?:Remv|Purg) (\S+) \[([^\]]*)\]/;
const CONFIGURE = /^Conf (\S+)/;

const listAfter = (lines: readonly string[], heading: string): string[] => {
  const begin = lines.indexOf(heading);
  if (begin < 0) return [];
  const rest = lines.slice(begin + 1);
  const end = rest.findIndex((line) => !line.startsWith(' '));
  return rest
    .slice(0, end < 0 ? rest.length : end)
    .flatMap((line) => line.trim().split(/\s+/))
    .filter((word) => word !== '');
};

const notRead = (at: number, line: string): Unreadable =>
  new Unreadable(
    `output of apt-get -s, line ${at + 1}`,
    line,
    'run it by hand with LC_ALL=C; a hook or option of apt that writes between its lines has to go',
  );

/** Reads what `apt-get -s` printed (C locale). Throws on a line of a kind that it knows but cannot read. */
export const parseSimulation = (output: string): Simulation => {
  const lines = output.split('\n');
  const simulation: Simulation = {
    installs: [],
    removes: [],
    configures: [],
    keptBack: listAfter(lines, 'The following packages have been kept back:'),
  };
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('Inst ')) {
      const match = INST.exec(line);
      if (match === null) throw notRead(at, line);
      const [, name = '', from, to = '', origins = '', arch = ''] = match;
      simulation.installs.push({
        ...{ name, arch, to, from: from ?? null },
        origins: origins === '' ? [] : origins.split(', '),
      });
    } else if (/^(?:Remv|Purg) /.test(line)) {
      const match = REMOVE.exec(line);
      if (match === null) throw notRead(at, line);
      simulation.removes.push({ name: match[1] ?? '', version: match[2] ?? '' });
    } else {
      const match = CONFIGURE.exec(line);
      if (match !== null) simulation.configures.push(match[1] ?? '');
    }
  }
  return simulation;
};
