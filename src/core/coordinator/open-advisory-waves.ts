import type { HostId } from '../ids.ts';
import type { AdvisoriesCause, Fleet, Wave, WantedUpgrade, WaveUpgrade } from './fleet.ts';
import { packageKey } from './tried.ts';

export type AdvisoryWave = Wave & { cause: AdvisoriesCause };

export const isAdvisoryWave = (wave: Wave): wave is AdvisoryWave =>
  wave.cause.kind === 'advisories';

/** Waves that advisories have opened and that are not over. */
export const openAdvisoryWaves = (fleet: Fleet): AdvisoryWave[] =>
  [...fleet.waves.values()].filter(
    (wave): wave is AdvisoryWave =>
      isAdvisoryWave(wave) && (wave.state === 'open' || wave.state === 'stopping'),
  );

/** What a wave has in common with all that may join it. */
export type Kind = Pick<AdvisoriesCause, 'platform' | 'mode' | 'whenMirrorMoved'>;

/**
 * Whether a wave may be joined by anything: none that a person has approved, since what they approved is never more than they
 * saw, and none without upgrades, which takes up containers whose opt-out has ended and is about what its hosts have already (R34).
 */
export const isJoinable = (
  { cause, state, approvedBy, upgrades }: AdvisoryWave,
  { platform, mode, whenMirrorMoved }: Kind,
): boolean =>
  state === 'open' &&
  approvedBy === null &&
  upgrades.size > 0 &&
  cause.platform === platform &&
  cause.mode === mode &&
  cause.whenMirrorMoved === whenMirrorMoved;

/** Only ever added to, or replaced as a whole, so each is put in order once for each length. */
const brought = new WeakMap<
  AdvisoriesCause['packages'],
  { length: number; versions: ReadonlyMap<string, string> }
>();

/** To which version a wave brings a package; undefined: it does not bring it. */
export const broughtVersion = (
  { cause: { packages } }: AdvisoryWave,
  key: string,
): string | undefined => {
  const { length } = packages;
  const known = brought.get(packages);
  if (known?.length === length) return known.versions.get(key);
  const versions = new Map(
    packages.map(({ source: name, arch, to }) => [packageKey({ name, arch }), to]),
  );
  brought.set(packages, { length, versions });
  return versions.get(key);
};

/** Lists are never changed in place, so each is put in order once. */
const entries = new WeakMap<WaveUpgrade['packages'], ReadonlyMap<string, WantedUpgrade>>();

/** What is wanted, by its packages. */
export const entriesOf = (
  packages: WaveUpgrade['packages'],
): ReadonlyMap<string, WantedUpgrade> => {
  const known = entries.get(packages) ?? new Map(packages.map((one) => [packageKey(one), one]));
  entries.set(packages, known);
  return known;
};

export const entryOf = ({ packages }: WaveUpgrade, key: string): WantedUpgrade | undefined =>
  entriesOf(packages).get(key);

/** Whether a wave sees to a package of a host: `taken` where nothing else of its source is to be begun either. */
export const seenBy = (
  waves: readonly AdvisoryWave[],
  hostId: HostId,
  key: string,
  target: string | null,
): 'no' | 'seen' | 'taken' => {
  let seen: 'no' | 'seen' = 'no';
  for (const { upgrades } of waves) {
    const upgrade = upgrades.get(hostId);
    const entry = upgrade === undefined ? undefined : entryOf(upgrade, key);
    if (upgrade === undefined || entry === undefined || upgrade.state === 'left-out') continue;
    // What runs brings what it brings, and what failed waits for a person: nothing else is decided before.
    if (upgrade.state === 'running' || upgrade.state === 'failed') return 'taken';
    // A wave that waits for a host is kept in step with what that host needs; after one that is done something newer comes.
    if (upgrade.state === 'pending' || entry.version === target) seen = 'seen';
  }
  return seen;
};
