/** How apt is run on this host. */
export interface AptHost {
  /** Root directory of the dpkg database: `/`, another one only in tests. */
  root: string;
  /** One directory per transaction: request, transcript, exit status. Root's alone. */
  transactionsDirectory: string;
  /** The script that runs a transaction outside our control group. */
  launcherPath: string;
  /** `cgroup.procs` files of the transaction's own control group; none: it stays in ours. */
  cgroupDirectories: readonly string[];
  /** How long apt waits for a lock that another manager holds. */
  lockTimeoutMs: number;
  /** Added to apt's environment: proxies, for example. */
  environment: Readonly<Record<string, string>>;
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

/** Wait for locks, in whole seconds as apt.conf(5) has it. */
export const lockOption = ({ lockTimeoutMs }: AptHost): string[] => [
  '-o',
  `DPkg::Lock::Timeout=${Math.ceil(lockTimeoutMs / 1000)}`,
];
