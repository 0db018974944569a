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
