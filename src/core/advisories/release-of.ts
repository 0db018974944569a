import { debianReleases, ubuntuReleases } from './release-names.ts';

/** os-release's VERSION_ID of a codename; a number is one already. Null: there is no such release. */
export const releaseOf = (distro: 'debian' | 'ubuntu', name: string): string | null => {
  if (/^\d+(\.\d+)?$/.test(name)) return name;
  return (distro === 'debian' ? debianReleases : ubuntuReleases).get(name) ?? null;
};

/**
 * Whether what is said of `row` (as exactly as a feed tells: `9`, `9.2`, `22.04`) is said of a host whose
 * VERSION_ID is `host` (`9.4`, `22.04`, `12`).
 */
export const isRelease = (row: string, host: string): boolean =>
  row === host || host.startsWith(`${row}.`);
