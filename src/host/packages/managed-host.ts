/** How a package manager is run on this host, whichever it is. */
export interface ManagedHost {
  /** One directory per transaction: request, transcript, exit status. Root's alone. */
  transactionsDirectory: string;
  /** The script that runs a transaction outside our control group. */
  launcherPath: string;
  /** `cgroup.procs` files of the transaction's own control group; none: it stays in ours. */
  cgroupDirectories: readonly string[];
  /** How long a lock that another manager holds is waited for. */
  lockTimeoutMs: number;
  /** Added to the package manager's environment: proxies, for example. */
  environment: Readonly<Record<string, string>>;
}
