import type { WantedUpgrade, Wave, WaveUpgrade } from './fleet.ts';
import { packageKey, versionKey } from './tried.ts';

/** FNV-1a: tells two texts apart that come about by chance. */
const hashOf = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

/** Packages that hosts of a wave wait for, and are known to be exploited. */
export const exploitedIn = ({ upgrades }: Wave): string[] => {
  const lists = new Set(
    [...upgrades.values()].flatMap(({ state, packages }) =>
      state === 'pending' ? [packages] : [],
    ),
  );
  const keys = [...lists].flatMap((list) =>
    list.flatMap((one) => (one.exploited === true ? [packageKey(one)] : [])),
  );
  return [...new Set(keys)].sort();
};

/** What a wave of advisories brings, as a short text: with other packages it is another. Null: it is none. */
export const broughtForm = (wave: Wave): string | null => {
  if (wave.cause.kind !== 'advisories') return null;
  const packages = wave.cause.packages.map(({ source: name, arch, to }) =>
    versionKey({ name, arch }, to),
  );
  return hashOf([...packages.sort(), ...exploitedIn(wave)].join(' '));
};

/** What each host gets; equal hosts share a list, which is put in order once. */
const hostsIn = ({ upgrades }: Wave): string[] => {
  const texts = new Map<WaveUpgrade['packages'], string>();
  return [...upgrades].flatMap(([hostId, { state, packages }]) => {
    if (state === 'left-out') return [];
    const known = texts.get(packages) ?? hashOf(packages.map(wantedKey).sort().join(' '));
    texts.set(packages, known);
    return [`${hostId} ${known}`];
  });
};

const wantedKey = (one: WantedUpgrade): string => versionKey(one, one.version);

/**
 * What a person is shown of a wave of advisories before they approve it, as a short text: with other packages, or on other
 * hosts, it is another. What a host has got meanwhile is what was shown.
 */
export const shownForm = (wave: Wave): string | null => {
  const brought = broughtForm(wave);
  return brought === null ? null : hashOf([brought, ...hostsIn(wave).sort()].join('\n'));
};
