import type { FleetImage } from '../../core/advisories/fleet-units.ts';
import type { Store } from '../../store/open-store.ts';
import { noteUpdates, updateKey, updatesSeen } from '../../store/updates-seen.ts';
import type { Update } from '../../store/updates-seen.ts';

/** When each version was first seen that some host's repositories offer, whether an advisory asks for it yet or not. */
export interface OffersSeen {
  /** Versions of an image's offers that were not seen before are noted with this day. Wall clock, ms. */
  note: (image: FleetImage, nowMs: number) => Promise<void>;
  /** Null: never. */
  firstSeen: (update: Update) => number | null;
}

/** Remembers what the store has, and adds to both. */
export const readOffersSeen = async ({ db }: Store): Promise<OffersSeen> => {
  const seen = await updatesSeen(db);
  /** Of which all was noted: what an image is offered never changes. */
  const noted = new WeakSet<FleetImage>();
  return {
    note: async (image, nowMs) => {
      if (noted.has(image)) return;
      const { platform, offers } = image;
      const fresh = new Map<string, Update>();
      for (const { name, version } of offers) {
        const update = { platform, name, version };
        const key = updateKey(update);
        if (!seen.has(key)) fresh.set(key, update);
      }
      await noteUpdates(db, [...fresh.values()], nowMs);
      for (const key of fresh.keys()) seen.set(key, nowMs);
      noted.add(image);
    },
    firstSeen: (update) => seen.get(updateKey(update)) ?? null,
  };
};
