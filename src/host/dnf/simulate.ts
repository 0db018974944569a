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

/**
 * Asks dnf what it would do to bring the targets about, without doing it. It fires none of the hooks. A target that
 * it would leave out is a failure, though dnf itself is content then.
 */
export const simulate = async (
  host: DnfHost,
  targets: readonly RpmTarget[],
  options: { allowRemove: boolean },
): Promise<Simulated> => {
  const argv = [host.program, '--assumeno', ...upgradeArguments(targets, options)];
  const { exitCode, all, stdout } = await runQuery(argv, {
    timeoutMs: SIMULATE_TIMEOUT_MS,
    environment: dnfEnvironment(host),
  });
  if (exitCode !== 0 && !wasOnlyAsked(all))
    return { ok: false, reason: nameFailure(all, exitCode) };
  const simulation = parseTransaction(stdout);
  const [first] = missing(targets, simulation);
  if (first === undefined) return { ok: true, simulation };
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
