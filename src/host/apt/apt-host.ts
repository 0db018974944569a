import { join } from 'node:path';
import type { ManagedHost } from '../packages/managed-host.ts';
import type { TransactionSurroundings } from '../packages/run-transaction.ts';
import { DPKG_DIRECTORY } from './read-dpkg-database.ts';

/** How apt is run on this host. */
export interface AptHost extends ManagedHost {
  /** Root directory of the dpkg database: `/`, another one only in tests. */
  root: string;
}

/**
 * Environment of every apt and dpkg that we run: no questions, messages in English since they are
 * read, and no second restarter (needrestart(1) is suspended, or at least only lists).
 */
export const aptEnvironment = ({ environment }: AptHost): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  APT_LISTCHANGES_FRONTEND: 'none',
  UCF_FORCE_CONFFOLD: '1',
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
  ...environment,
});

/** Options of dpkg: keep configuration files that were changed by hand; take the package's where they were not. */
export const keepConfiguration = ['--force-confdef', '--force-confold'];

/** How apt-get is asked to run dpkg. */
export const dpkgOptions = [
  ...keepConfiguration.flatMap((option) => ['-o', `DPkg::Options::=${option}`]),
  ...['-o', 'DPkg::Use-Pty=0'],
];

/** What each transaction is run with. */
export const aptSurroundings = (host: AptHost): TransactionSurroundings => ({
  environment: aptEnvironment(host),
  inventory: join(host.root, DPKG_DIRECTORY, 'status'),
});

/** Wait for locks, in whole seconds as apt.conf(5) has it. */
export const lockOption = ({ lockTimeoutMs }: AptHost): string[] => [
  '-o',
  `DPkg::Lock::Timeout=${Math.ceil(lockTimeoutMs / 1000)}`,
];
