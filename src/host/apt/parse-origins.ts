/** What apt-cache(8) `policy` calls the packages that dpkg alone knows of. */
const DPKG = '/var/lib/dpkg/status';

/**
 * Reads the list of package files that apt-cache(8) `policy` prints without operands: for each its `Origin`, as its Release
 * file says it; where that says none, the name of its server, or else its address.
 */
export const parseFileOrigins = (output: string): Map<string, string> => {
  const origins = new Map<string, string>();
  let file = DPKG;
  for (const line of output.split('\n')) {
    const head = /^ *-?\d+ (\S.*)$/.exec(line)?.[1];
    if (head !== undefined) {
      file = head;
      if (file !== DPKG) origins.set(file, file.split(' ')[0] ?? file);
    }
    const said = /^ {5}release (?:.*,)?o=(.*?)(?:,[a-z]=.*)?$/.exec(line)?.[1];
    const server = /^ {5}origin (\S+)$/.exec(line)?.[1];
    if (file === DPKG) continue;
    if (said !== undefined) origins.set(file, said);
    // It comes after the line of the release.
    else if (server !== undefined && origins.get(file) === file.split(' ')[0])
      origins.set(file, server);
  }
  return origins;
};

type Place = 'newer' | 'installed' | 'older';

/** The distribution that a host with apt has, and its paid services, as their repositories call themselves. */
const DISTRIBUTION = /^(?:debian|ubuntu)/i;

/**
 * Whose the packages are that apt-cache(8) `policy NAME…` tells of, by `parseFileOrigins`: who offers the installed version, or, where
 * nobody does any more, a newer one, which has taken its place; null: nobody does either. So the answer lasts when an update comes out.
 * Where the distribution is one of several it is the distribution's: others may offer the same, or something newer of that name.
 */
export const parseOrigins = (
  output: string,
  fileOrigins: ReadonlyMap<string, string>,
): Map<string, string | null> => {
  const origins = new Map<string, string | null>();
  let name = '';
  // Versions are listed from the newest down.
  let at: Place = 'newer';
  let known = null as Place | null;
  for (const line of output.split('\n')) {
    const head = /^(\S+):$/.exec(line)?.[1];
    if (head !== undefined) {
      name = head;
      at = 'newer';
      known = null;
      origins.set(name, null);
    } else if (line.startsWith(' *** ')) at = 'installed';
    else if (/^ {5}\S/.test(line)) at = at === 'newer' ? at : 'older';
    else {
      const file = /^ {8} *-?\d+ (\S.*)$/.exec(line)?.[1];
      const origin = file === undefined ? undefined : fileOrigins.get(file);
      if (name === '' || origin === undefined || at === 'older') continue;
      // What offers the installed version above all; of several repositories the first, but for the distribution's.
      const isFirst = known !== at;
      const isIts = DISTRIBUTION.test(origin) && !DISTRIBUTION.test(origins.get(name) ?? '');
      if (!isFirst && !isIts) continue;
      origins.set(name, origin);
      known = at;
    }
  }
  return origins;
};
