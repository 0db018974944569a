/** A package with an update that is not installed. */
export interface PendingPackage {
  name: string;
  from: string;
  to: string;
}

/**
 * The updates from a suite of security updates among what `apt-get -s dist-upgrade` would do: `Inst libssl3 [3.0.19-1]
 * (3.0.22-1 Debian-Security:12/oldstable-security [amd64])`, with several suites behind commas.
 */
export const parsePending = (output: string): PendingPackage[] =>
  output.split('\n').flatMap((line) => {
    const [, name, from, to, origins] =
      /^Inst (\S+) \[(\S+)\] \((\S+) ([^[]*?) ?\[[^\]]*\]\)/.exec(line) ?? [];
    if (name === undefined || from === undefined || to === undefined) return [];
    const suites = (origins ?? '').split(/,\s*/).map((origin) => origin.split('/').at(-1) ?? '');
    return suites.some((suite) => suite.endsWith('-security')) ? [{ name, from, to }] : [];
  });

/** Versions by package, from `dpkg-query -W -f '${binary:Package} ${Version}\n'`. */
export const parseVersions = (output: string): Map<string, string> =>
  new Map(
    output.split('\n').flatMap((line): [string, string][] => {
      const [name = '', version = ''] = line.split(' ');
      // `libssl3:amd64`, where several architectures may be installed.
      return version === '' ? [] : [[name.split(':')[0] ?? name, version]];
    }),
  );

/** What was pending and did not come, and what else changed; one sentence each. */
export const differences = (
  pending: readonly PendingPackage[],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { missing: string[]; others: string[] } => {
  const wanted = new Set(pending.map(({ name }) => name));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return {
    missing: pending
      .filter(({ name, to }) => after.get(name) !== to)
      .map(({ name, to }) => `${name} has ${after.get(name) ?? 'no version'} instead of ${to}`),
    others: names
      .filter((name) => !wanted.has(name) && before.get(name) !== after.get(name))
      .map((name) => `${name} ${before.get(name) ?? 'none'} → ${after.get(name) ?? 'none'}`),
  };
};
