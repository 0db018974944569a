import type { AdvisoriesCause, WaveCause } from './fleet.ts';

/** So many advisories and packages are named in a sentence. */
const namedAtMost = 5;

/** The first few, and how many more there are. */
const firstFew = (texts: readonly string[]): string => {
  const more = texts.length - namedAtMost;
  return more > 0 ? `${texts.slice(0, namedAtMost).join(', ')} and ${more} more` : texts.join(', ');
};

/** Everything that advisories ask a wave for, by name. */
export const namesOf = ({
  advisories,
  packages,
}: AdvisoriesCause): { advisories: string[]; packages: string[] } => ({
  advisories: advisories.map(({ id }) => id),
  // The same for each architecture, where that is so.
  packages: [...new Set(packages.map(({ source, to }) => `${source} ${to}`))],
});

/** What a wave is for, in a few words. */
export const describeCause = (cause: WaveCause): string => {
  switch (cause.kind) {
    case 'upgrade':
      return cause.packages.length === 0
        ? 'upgrade'
        : cause.packages
            .map(({ source, to }) => (to === '' ? source : `${source} ${to}`))
            .join(', ');
    case 'advisories':
      return `${firstFew(namesOf(cause).advisories)}: ${firstFew(namesOf(cause).packages)}`;
    case 'found-stale':
      return 'containers found stale without a known upgrade';
    case 'by-hand':
      return `${cause.what}, asked for by ${cause.actor}`;
  }
};
