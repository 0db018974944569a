import type { Advisory } from '../../core/advisories/advisory.ts';
import { trackerKeys } from '../../core/advisories/denials.ts';
import type { Trackers } from '../../core/advisories/denials.ts';
import type { Fleet } from '../../core/advisories/fleet.ts';
import { namesOf } from '../../core/advisories/fleet-units.ts';
import type { FleetImage, Unit } from '../../core/advisories/fleet-units.ts';
import { advisoriesInParts, advisoriesNaming } from '../../store/advisories.ts';
import type { Store } from '../../store/open-store.ts';
import { createPace } from './pace.ts';

type Matching = Pick<Fleet, 'match'>;

const matchAll = async (
  fleet: Matching,
  groups: AsyncIterable<readonly Advisory[]>,
  among?: ReadonlySet<Unit>,
): Promise<Set<FleetImage>> => {
  const pace = createPace();
  const changed = new Set<FleetImage>();
  for await (const group of groups)
    for (const advisory of group) {
      for (const image of fleet.match(advisory, among)) changed.add(image);
      await pace();
    }
  return changed;
};

/** Match what is stored of Debian's tracker about some CVEs, which may deny what others say of them. Answers for which images that matters. */
export const matchTracker = (
  store: Store,
  fleet: Matching,
  trackers: Trackers,
  cves: Iterable<string>,
  among?: ReadonlySet<Unit>,
): Promise<Set<FleetImage>> =>
  matchAll(
    fleet,
    advisoriesInParts(
      store.db,
      [...cves].flatMap((cve) => trackerKeys(cve, trackers)),
    ),
    among,
  );

/** Match packages that are new with everything that is stored of their names, and what is found of them with the tracker. */
export const matchNew = async (
  store: Store,
  fleet: Matching,
  trackers: Trackers,
  fresh: ReadonlySet<Unit>,
): Promise<void> => {
  for (const [distro, names] of namesOf(fresh))
    await matchAll(fleet, advisoriesNaming(store.db, distro, [...names]), fresh);
  const pace = createPace();
  // All that is found by one advisory names the same list of them.
  const lists = new Set<readonly string[]>();
  for (const { place, found } of fresh) {
    if (place.distro !== 'debian') continue;
    for (const findings of found.values()) for (const { cves } of findings) lists.add(cves);
    await pace();
  }
  await matchTracker(store, fleet, trackers, new Set([...lists].flat()), fresh);
};
