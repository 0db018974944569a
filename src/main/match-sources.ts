import type { MatchDependencies } from '../cli/local/match/match.ts';
import { verifyOnce } from '../producers/advisories/apt-security/verify-with.ts';
import { advisorySources } from '../producers/advisories/sources.ts';

/** What `groundswell match` reads of the feeds that people name: as it lies there, unless they name who must have signed it. */
export const matchSources: MatchDependencies['sources'] = (place, keyrings) =>
  advisorySources(place === null ? null : { ...place, channel: null }, {
    byHand: true,
    ...(keyrings === undefined ? {} : { verify: verifyOnce(keyrings) }),
  });
