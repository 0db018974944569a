/** What a group of packages installs, as `group info` of dnf 4 and 5 lists it; what is optional is no part of it. */
export interface RpmGroup {
  mandatory: string[];
  default: string[];
}

/** `Mandatory Packages:` alone (dnf 4), or `Mandatory packages   : gs-init` (dnf 5). */
const HEADING = /^\s*(\S[^:]*?)\s*:\s*(.*)$/;
const KINDS: Readonly<Record<string, keyof RpmGroup>> = {
  'mandatory packages': 'mandatory',
  'default packages': 'default',
};

/** Reads what `group info` prints of one group. Null: there is no such group. */
export const parseGroup = (output: string): RpmGroup | null => {
  const group: RpmGroup = { mandatory: [], default: [] };
  let kind: keyof RpmGroup | undefined;
  let found = false;
  for (const line of output.split('\n')) {
    // dnf 5 goes on below the colon, dnf 4 in lines without one.
    const more = /^\s+(?::\s*)?([^\s:]+)\s*$/.exec(line)?.[1];
    if (more !== undefined) {
      if (kind !== undefined) group[kind].push(more);
      continue;
    }
    const [, heading, value = ''] = HEADING.exec(line) ?? [];
    if (heading === undefined) continue;
    found = true;
    kind = KINDS[heading.toLowerCase()];
    if (kind !== undefined && value !== '') group[kind].push(value);
  }
  return found ? group : null;
};

/** The ids in what `repolist` prints: below its heading, the first word of each line. */
export const parseRepositories = (output: string): string[] => {
  const lines = output.split('\n');
  const heading = lines.findIndex((line) => /^repo id\s/.test(line));
  return heading < 0
    ? []
    : lines.slice(heading + 1).flatMap((line) => /^(\S+)\s/.exec(`${line} `)?.[1] ?? []);
};
