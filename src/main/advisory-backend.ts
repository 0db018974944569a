import type { AdvisoryBackend, FeedChange } from '../api/advisory-routes.ts';
import { planAdvisory } from '../core/coordinator/plan-advisory.ts';
import type { Answer } from '../core/coordinator/operator.ts';
import { advisoriesCalled } from '../store/advisories.ts';
import type { Store } from '../store/open-store.ts';
import {
  advisoryDetails,
  hostInventoryView,
  pendingAdvisories,
} from '../workers/control/advisory-views.ts';
import type { Server } from '../workers/control/server.ts';
import type { FeedsWatch } from './watch-feeds.ts';

const changeFeed = async (
  server: Server,
  watch: FeedsWatch,
  { actor, name, change }: { actor: string; name: string; change: FeedChange },
): Promise<Answer> => {
  if (change === 'poll')
    return watch.poll(name)
      ? { ok: true, id: null, text: `feed ${name} is asked` }
      : { ok: false, reason: `there is no feed ${name}; see: groundswell feeds` };
  const held = watch.states().find((state) => state.name === name)?.held ?? null;
  const problem = await watch.accept(name);
  if (problem !== null) return { ok: false, reason: problem };
  await server.acceptedFeed(actor, name, { had: held?.had ?? 0, has: held?.has ?? 0 });
  return { ok: true, id: null, text: `feed ${name} is taken as it is` };
};

/** Feeds, advisories and inventories, as the API asks for them. */
export const advisoryBackend = (
  server: Server,
  watch: FeedsWatch,
  store: Store,
): AdvisoryBackend => {
  const sources = () => ({
    ...{ store, matcher: server.advisories.matcher, fleet: server.coordinator.fleet() },
    wallMs: Date.now(),
  });
  return {
    feeds: watch.views,
    changeFeed: (actor, name, change) => changeFeed(server, watch, { actor, name, change }),
    pending: () => pendingAdvisories(sources()),
    details: (id) => advisoryDetails(sources(), id),
    plan: async (id) =>
      (await advisoriesCalled(store.db, id)).length === 0
        ? null
        : planAdvisory(
            server.coordinator.fleet(),
            id,
            { now: server.moment().now, wallMs: Date.now() },
            server.meanRestartMs,
          ),
    inventory: (host) => hostInventoryView(sources(), host),
  };
};
