import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type {
  AdvisoryDetail,
  AdvisoryLine,
  FeedView,
  HostInventoryView,
} from '../core/advisories/advisory-views.ts';
import type { AdvisoryPlan } from '../core/coordinator/plan-advisory.ts';
import { ActorText } from '../core/request-text.ts';
import { addChange } from './add-change.ts';
import type { Answer } from '../core/coordinator/operator.ts';

/** What the routes about feeds, advisories and inventories need of the server. */
export interface AdvisoryBackend {
  feeds: () => FeedView[];
  /** `poll`: ask it now; `accept`: take what it holds back. */
  changeFeed: (actor: string, name: string, change: FeedChange) => Promise<Answer>;
  pending: () => Promise<AdvisoryLine[]>;
  details: (id: string) => Promise<AdvisoryDetail[]>;
  /** Null: no feed has an advisory of this id. */
  plan: (id: string) => Promise<AdvisoryPlan | null>;
  inventory: (host: string) => Promise<HostInventoryView | null>;
}

export const FeedChange = z.enum(['poll', 'accept']);
export type FeedChange = z.infer<typeof FeedChange>;

const FeedBody = z.strictObject({ actor: ActorText, change: FeedChange });

const unknownAdvisory = (id: string): { error: string } => ({
  error: `no feed has an advisory ${id}; see: groundswell advisories, groundswell feeds`,
});

export const addAdvisoryRoutes = (app: FastifyInstance, backend: AdvisoryBackend): void => {
  app.get('/v1/feeds', () => backend.feeds());
  addChange(app, '/v1/feeds/:name', FeedBody, ({ actor, change }, { name = '' }) =>
    backend.changeFeed(actor, name, change),
  );
  app.get('/v1/advisories', () => backend.pending());
  app.get<{ Params: { id: string } }>('/v1/advisories/:id', async (request, reply) => {
    const { id } = request.params;
    const found = await backend.details(id);
    return found.length === 0 ? reply.status(404).send(unknownAdvisory(id)) : reply.send(found);
  });
  app.get<{ Params: { id: string } }>('/v1/advisories/:id/plan', async (request, reply) => {
    const { id } = request.params;
    const plan = await backend.plan(id);
    return plan === null ? reply.status(404).send(unknownAdvisory(id)) : reply.send(plan);
  });
  app.get<{ Params: { host: string } }>('/v1/inventory/:host', async (request, reply) => {
    const { host } = request.params;
    const found = await backend.inventory(host);
    return found === null
      ? reply.status(404).send({
          error: `host ${host} has not reported its packages; see: groundswell hosts`,
        })
      : reply.send(found);
  });
};
