import type { Wave } from './fleet.ts';
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

/** What a person is shown of a wave of advisories before they approve it, as a short text: with other packages it is another. */
export const shownForm = (wave: Wave): string | null => {
  if (wave.cause.kind !== 'advisories') return null;
  const packages = wave.cause.packages.map(({ source: name, arch, to }) =>
    versionKey({ name, arch }, to),
  );
  return hashOf([...packages.sort(), ...exploitedIn(wave)].join(' '));
};
