import type { InstalledPackage } from '../../core/packages.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { asFetched } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { leftToPerson } from './left-to-person.ts';
import { dnfFailure } from './name-failure.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import type { DnfSimulation, TableRow } from './parse-transaction.ts';
import { dnfOperands } from './plan-upgrade.ts';
import { simulateCommand } from './simulate.ts';
import { duplicates, readLeftOver } from './unsettled.ts';
import type { Duplicate } from './unsettled.ts';

export const notHealed = (message: string): PackageFailure =>
  dnfFailure('interrupted', `a transaction was broken off, and not healed: ${message}`);

/** Kinds of failure that mean the same while it is healed; others speak of an upgrade that was ordered, and so do their remedies. */
const meansTheSame: ReadonlySet<PackageFailure['kind']> = new Set([
  ...(['lock-timeout', 'disk-full', 'read-only', 'package-failed'] as const),
]);

export const ofHealing = (reason: PackageFailure): PackageFailure => {
  const healing = notHealed(reason.message);
  return meansTheSame.has(reason.kind) ? { ...reason, message: healing.message } : healing;
};

export type Version = Pick<TableRow, 'name' | 'arch' | 'version'>;
export const keyOf = ({ name, arch, version }: Version): string => `${name}-${version}.${arch}`;

export const olderOf = (found: readonly Duplicate[]): Version[] =>
  found.flatMap(({ name, arch, older }) => older.map((version) => ({ name, arch, version })));

const operandsOf = (versions: readonly Version[]): string[] =>
  dnfOperands(versions.map(({ name, arch, version }) => ({ name, arch, from: '', to: version })));

type Changes = keyof Omit<DnfSimulation, 'skipped'>;

/** What a transaction would change beside what it is for. */
export const besides = (
  { skipped: _, ...changes }: DnfSimulation,
  what: Changes,
  meant: readonly Version[],
): { change: Changes; row: TableRow }[] => {
  const keys = new Set(meant.map(keyOf));
  return (Object.keys(changes) as Changes[]).flatMap((change) =>
    changes[change]
      .filter((row) => change !== what || !keys.has(keyOf(row)))
      .map((row) => ({ change, row })),
  );
};

/** The command of a step without its program; or why it is not run. Null: there is nothing to do. */
export type Made = { args: readonly string[] } | PackageFailure | null;

const removalOf = (older: readonly Version[]): string[] => [
  ...[...asFetched, '--setopt=clean_requirements_on_remove=False'],
  ...['remove', ...operandsOf(older)],
];

/** To the version of the newest: what is built with what is there twice, and was not come to. Null: it is not of these. */
const completed = (
  packages: readonly RpmPackage[],
  found: readonly Duplicate[],
  row: TableRow,
): Version | null => {
  const named = ({ name, arch, version }: Version): RpmPackage | undefined =>
    packages.find((one) => keyOf(one) === keyOf({ name, arch, version }));
  const behind = named(row);
  const ahead = found
    .filter((one) =>
      olderOf([one]).some((older) => {
        const was = named(older);
        return was?.source === behind?.source && was?.sourceVersion === behind?.sourceVersion;
      }),
    )
    .map(({ name, arch, newest: version }) => named({ name, arch, version }));
  const [to] = ahead;
  return behind === undefined || to === undefined
    ? null
    : { name: row.name, arch: row.arch, version: to.version };
};

const wouldChange = (name: string): PackageFailure =>
  notHealed(`that would change ${name} as well`);

/** What the upgrade did not come to, and needs what is older of the same source in just that version, comes to the newest too. */
export const complete =
  (host: DnfHost) =>
  async (packages: readonly RpmPackage[]): Promise<Made> => {
    const found = await readLeftOver(host.rpm, packages);
    if (found.length === 0) return null;
    const forPerson = await leftToPerson(host.rpm, found);
    if (forPerson !== null) return forPerson;
    const older = olderOf(found);
    const { simulated } = await simulateCommand(host, removalOf(older));
    if (!simulated.ok) return ofHealing(simulated.reason);
    const behind: Version[] = [];
    for (const { change, row } of besides(simulated.simulation, 'removes', older)) {
      const to = change === 'removes' ? completed(packages, found, row) : null;
      if (to === null) return wouldChange(row.name);
      behind.push(to);
    }
    if (behind.length === 0) return null;
    const args = [...asFetched, 'upgrade', ...operandsOf(behind)];
    const upgraded = (await simulateCommand(host, args)).simulated;
    if (!upgraded.ok) return ofHealing(upgraded.reason);
    const [other] = besides(upgraded.simulation, 'upgrades', behind);
    return other === undefined ? { args } : wouldChange(other.row.name);
  };

/** The clean-up that the upgrade did not come to: what is older goes, and nothing else. */
export const cleanUp =
  (host: DnfHost) =>
  async (packages: readonly RpmPackage[]): Promise<Made> => {
    const found = await readLeftOver(host.rpm, packages);
    if (found.length === 0) return null;
    const forPerson = await leftToPerson(host.rpm, found);
    if (forPerson !== null) return forPerson;
    const older = olderOf(found);
    const { simulated } = await simulateCommand(host, removalOf(older));
    if (!simulated.ok) return ofHealing(simulated.reason);
    const [other] = besides(simulated.simulation, 'removes', older);
    return other === undefined ? { args: removalOf(older) } : wouldChange(other.row.name);
  };

/** What stayed of packages that were cleaned up is installed again, since its scripts may not have run. */
export const reinstall =
  (host: DnfHost, was: readonly InstalledPackage[]) =>
  async (packages: readonly RpmPackage[]): Promise<Made> => {
    const there = new Set(packages.map(keyOf));
    const newest = duplicates(was)
      .filter((one) => !olderOf([one]).some((older) => there.has(keyOf(older))))
      .map(({ name, arch, newest: version }) => ({ name, arch, version }))
      .filter((one) => there.has(keyOf(one)));
    if (newest.length === 0) return null;
    const args = [...asFetched, 'reinstall', ...operandsOf(newest)];
    const { simulated } = await simulateCommand(host, args);
    if (!simulated.ok) return simulated.reason;
    const [other] = besides(simulated.simulation, 'reinstalls', newest);
    return other === undefined ? { args } : wouldChange(other.row.name);
  };
