import type { PackageFailure } from '../packages/failure.ts';
import { runQuery } from '../packages/run-query.ts';
import { asFetched, dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { dnfFailure, nameFailure } from './name-failure.ts';
import { parseTransaction, wasOnlyAsked } from './parse-transaction.ts';
import type { DnfSimulation } from './parse-transaction.ts';
import { dnfOperands } from './plan-upgrade.ts';
import type { RpmTarget } from './plan-upgrade.ts';

export type Simulated =
  { ok: true; simulation: DnfSimulation } | { ok: false; reason: PackageFailure };

const SIMULATE_TIMEOUT_MS = 300_000;

/** The command for targets without its program; simulated and carried out alike. */
export const upgradeArguments = (
  targets: readonly RpmTarget[],
  { allowRemove }: { allowRemove: boolean },
): string[] => [
  ...[...asFetched, '--setopt=best=1', 'upgrade'],
  // dnf 5 knows it only after the command.
  ...(allowRemove ? ['--allowerasing'] : []),
  ...dnfOperands(targets),
];

const missing = (targets: readonly RpmTarget[], simulation: DnfSimulation): RpmTarget[] => {
  const rows = [...simulation.upgrades, ...simulation.installs];
  return targets.filter(
    ({ name, arch, to }) =>
      !rows.some((row) => row.name === name && row.arch === arch && row.version === to),
  );
};

/** Asks dnf what it would do for `args` (options, a command and its operands), without doing it. It fires none of the hooks. */
export const simulateCommand = async (
  host: DnfHost,
  args: readonly string[],
): Promise<{ all: string; simulated: Simulated }> => {
  const { exitCode, all, stdout } = await runQuery([host.program, '--assumeno', ...args], {
    timeoutMs: SIMULATE_TIMEOUT_MS,
    environment: dnfEnvironment(host),
  });
  const simulated: Simulated =
    exitCode !== 0 && !wasOnlyAsked(all)
      ? { ok: false, reason: nameFailure(all, exitCode) }
      : { ok: true, simulation: parseTransaction(stdout) };
  return { all, simulated };
};

/**
 * The command that does it. One yes, for the transaction: `-y` would also import any key that a repository names. A lock that
 * was free just now is not waited for: dnf would without an end.
 */
export const transactionCommand = (host: DnfHost, args: readonly string[]): string[] => [
  ...['sh', '-c', 'echo y | "$0" "$@"', host.program, '--setopt=assumeyes=0'],
  ...['--setopt=exit_on_lock=1', ...args],
];

/**
 * Asks dnf what it would do to bring the targets about, without doing it. A target that it would leave out is a failure,
 * though dnf itself is content then.
 */
export const simulate = async (
  host: DnfHost,
  targets: readonly RpmTarget[],
  options: { allowRemove: boolean },
): Promise<Simulated> => {
  const { all, simulated } = await simulateCommand(host, upgradeArguments(targets, options));
  if (!simulated.ok) return simulated;
  const [first] = missing(targets, simulated.simulation);
  if (first === undefined) return simulated;
  const named = nameFailure(all, 0);
  const what = `${first.name}.${first.arch} would not become ${first.to}`;
  return {
    ok: false,
    reason:
      named.kind === 'other'
        ? dnfFailure('unmet-dependencies', what)
        : { ...named, message: `${what}: ${named.message}` },
  };
};
