import type { Advisory } from '../../core/advisories/advisory.ts';
import { indexInventory } from '../../core/advisories/index-inventory.ts';
import type { IndexedInventory } from '../../core/advisories/index-inventory.ts';
import { withKernels } from '../../core/advisories/kernel-offers.ts';
import { matchAdvisory } from '../../core/advisories/match.ts';
import type { Finding } from '../../core/advisories/match.ts';
import { asOffered, findingKey, needsOf } from '../../core/advisories/needs.ts';
import type { Need } from '../../core/advisories/needs.ts';
import type { Image } from './inventories-in.ts';

/** What hosts with the same packages and the same offers need: findings that are pending, and what the offers would fix. */
export interface ImageNeeds {
  image: Image;
  index: IndexedInventory;
  /** Feed and id of an advisory → its findings that are pending. */
  pending: Map<string, { findings: Finding[]; applied: string[] }>;
  offered: IndexedInventory;
  held: ReadonlySet<string>;
}

export const advisoryKey = ({ feed, id }: { feed: string; id: string }): string => `${feed} ${id}`;

/** Throws where the platform is none. */
export const newImageNeeds = ({ inventory, offers }: Image): ImageNeeds => {
  const image = { inventory, offers: withKernels(inventory.packages, offers) };
  return {
    image,
    index: indexInventory(image.inventory),
    pending: new Map(),
    offered: indexInventory(asOffered(image.inventory, image.offers)),
    held: new Set(
      image.inventory.packages
        .filter(({ held }) => held === true)
        .map(({ name, arch }) => `${name}:${arch}`),
    ),
  };
};

/** Note what an advisory means for an image, in place of what it meant before; answers whether that matters. */
export const noteAdvisory = (needs: ImageNeeds, advisory: Advisory): boolean => {
  // Where an older kernel runs than is installed, no upgrade helps: `status` asks for the reboot.
  const findings = matchAdvisory(advisory, needs.index).filter(
    ({ state, reboot }) => state === 'pending' && reboot !== true,
  );
  const key = advisoryKey(advisory);
  if (findings.length === 0) return needs.pending.delete(key);
  const applied = matchAdvisory(advisory, needs.offered)
    .filter(({ state }) => state === 'applied')
    .map(findingKey);
  needs.pending.set(key, { findings, applied });
  return true;
};

/** The needs of an image as they are now. */
export const computeNeeds = (
  { image, index, pending, held }: ImageNeeds,
  moment: {
    isExploited: (cve: string) => boolean;
    firstSeen: (name: string, version: string) => number | null;
    now: number;
  },
): Need[] => {
  const all = [...pending.values()];
  return needsOf({
    ...moment,
    scheme: index.scheme,
    pending: all.flatMap(({ findings }) => findings),
    appliedByOffers: new Set(all.flatMap(({ applied }) => applied)),
    ...{ offers: image.offers, held },
  });
};
