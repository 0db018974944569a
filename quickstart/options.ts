export interface QuickstartOptions {
  /** Leave everything running for exploration. */
  keep: boolean;
  /** Start time of each container in ms, so that a person can watch. */
  startDelayMs: number;
  containersPerService: number;
  /** What the host's packages are managed by. */
  packages: 'apt' | 'dnf';
  /** What comes out is what the distribution's mirror really has. */
  real: boolean;
}

export const usage = `usage: npm run quickstart -- [--keep] [--slow] [--containers N] [--dnf | --real]
  --keep          leave the host running for a look around, with the commands to try
  --slow          containers take two seconds to start, so that a person can watch
  --containers N  containers in each of the two services (default 10)
  --dnf           a host whose packages are rpms and whose package manager is dnf
  --real          the security updates that the mirror of this machine's distribution has for the host, instead of the
                  demo library`;

/** Read the arguments; throws with the usage on anything that it does not know. */
export const parseQuickstartOptions = (argv: readonly string[]): QuickstartOptions => {
  const options: QuickstartOptions = {
    ...{ keep: false, startDelayMs: 0, containersPerService: 10, packages: 'apt', real: false },
  };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--keep') options.keep = true;
    else if (word === '--dnf') options.packages = 'dnf';
    else if (word === '--real') options.real = true;
    else if (word === '--slow') options.startDelayMs = 2_000;
    else if (word === '--containers') {
      const count = Number(rest.shift());
      if (!Number.isInteger(count) || count < 2 || count > 100)
        throw new Error(`--containers wants a number from 2 to 100\n${usage}`);
      options.containersPerService = count;
    } else throw new Error(`unknown option ${word}\n${usage}`);
  }
  if (options.real && options.packages === 'dnf')
    throw new Error(
      `--real is for a host of this machine's own distribution: without --dnf\n${usage}`,
    );
  return options;
};
