import type { AffectedRow } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import { productStreams } from './channels-of.ts';
import type { HostPlace } from './index-inventory.ts';
import { isSameProduct } from './red-hat-products.ts';
import { isRelease } from './release-of.ts';

/** Oracle's builds of their own kind, which have the names of the usual ones: the version tells them. */
const oracleBuild = (version: string): string | null =>
  /[._](ksplice|fips)/.exec(version)?.[1] ?? null;
const oracleBuilds: ReadonlySet<string> = new Set(['ksplice', 'fips']);

const proArchives: ReadonlySet<string> = new Set(['esm-infra', 'esm-apps']);

/** Whether the host gets what comes through a channel. */
const hasChannel = (channel: string, { distro, channels }: HostPlace): boolean =>
  channels.has(channel) ||
  // Which of Ubuntu Pro's archives it is, is not told: by the advisory, or of the host, which then has those that come with it.
  (channel === 'pro' && [...proArchives].some((one) => channels.has(one))) ||
  (proArchives.has(channel) && channels.has('pro')) ||
  // As `pro` calls it.
  (channel === 'realtime' && channels.has('realtime-kernel')) ||
  (distro === 'rhel' &&
    !productStreams.has(channel) &&
    [...channels].some((one) => isSameProduct(one, channel))) ||
  // Whoever has a package of such a build gets the next one: looked at package by package.
  (distro === 'ol' && oracleBuilds.has(channel));

/** Whether a row is for the release of a host, and for what that host is attached to. */
export const isOffered = (row: AffectedRow, host: HostPlace): boolean =>
  row.distro === host.distro &&
  row.scheme === host.scheme &&
  isRelease(row.release, host.release) &&
  (row.channel === null || hasChannel(row.channel, host));

/** Packages of rpm that are for every architecture, and of dpkg. */
const everywhere: ReadonlySet<string> = new Set(['noarch', 'all', '']);

const isOfArch = (row: AffectedRow, arch: string): boolean =>
  row.arch === null || row.arch === arch || everywhere.has(row.arch) || everywhere.has(arch);

/** EPEL's packages and those of the distribution may share a name, and not their advisories. */
const isOfOrigin = ({ channel }: AffectedRow, { origin }: Candidate): boolean =>
  origin === 'unknown' || (origin === 'epel') === (channel === 'epel');

const isOfBuild = (row: AffectedRow, { installed }: Candidate, host: HostPlace): boolean => {
  if (host.distro !== 'ol' || row.fixed === null) return true;
  const [has, wants] = [oracleBuild(installed.version), oracleBuild(row.fixed)];
  return has === wants || (has === null && wants !== null && host.channels.has(wants));
};

/** Whether a row means a package that it names. */
export const isFor = (row: AffectedRow, candidate: Candidate, host: HostPlace): boolean =>
  isOfArch(row, candidate.installed.arch) &&
  isOfOrigin(row, candidate) &&
  isOfBuild(row, candidate, host);

/** On a host of a product stream that stream's word counts, and that of the release where the stream has none. */
export const ofProductStream = (rows: readonly AffectedRow[]): readonly AffectedRow[] => {
  const own = rows.filter(({ channel }) => channel !== null && productStreams.has(channel));
  return own.length === 0 ? rows : own;
};
