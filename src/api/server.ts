import { chmod, chown, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AuditRow, QueueCounts } from '../core/coordinator/api-rows.ts';
import { barred } from '../core/coordinator/barred.ts';
import { explainContainer } from '../core/coordinator/explain.ts';
import { feedAlerts, fleetAlerts } from '../core/coordinator/standing-alerts.ts';
import type { StandingAlert } from '../core/coordinator/standing-alerts.ts';
import { summarizeServices } from '../core/coordinator/summarize-services.ts';
import { summarizeWave } from '../core/coordinator/summarize-wave.ts';
import type { Fleet } from '../core/coordinator/fleet.ts';
import type { Moment } from '../core/coordinator/may-grant.ts';
import { OperatorAction } from '../core/coordinator/operator.ts';
import type { Answer } from '../core/coordinator/operator.ts';
import { planRestarts } from '../core/coordinator/plan.ts';
import { addChange } from './add-change.ts';
import { addAdvisoryRoutes } from './advisory-routes.ts';
import type { AdvisoryBackend } from './advisory-routes.ts';
import { malformed } from './malformed.ts';
import { HostId } from '../core/ids.ts';
import { ActorText, NameText } from '../core/request-text.ts';
import { pauseState } from '../core/coordinator/pause-state.ts';

export interface AuditQuery {
  container: string | undefined;
  service: string | undefined;
  wave: string | undefined;
  actor: string | undefined;
  outcome: string | undefined;
  since: string | undefined;
  until: string | undefined;
  after: number;
  limit: number;
}

/** The whole trail, for auditors. */
export interface AuditTrailBackend {
  /** Compressed with gzip; it ends with an error where it cannot be whole. */
  bundle: () => Promise<Readable>;
  keys: () => Promise<{ id: string; publicKey: string; since: number }[]>;
}

/** What the routes need of the server. All reads are of the coordinator's memory; changes go through its one step. */
export interface ApiBackend {
  fleet: () => Fleet;
  /** Why the coordinator can decide nothing now; null: it can. */
  problem: () => StandingAlert | null;
  moment: () => Moment;
  act: (actor: string, action: OperatorAction) => Promise<Answer>;
  /** Messages that were refused lately. */
  refusedAlerts: () => StandingAlert[];
  queues: () => Promise<QueueCounts[]>;
  audit: (query: AuditQuery) => Promise<AuditRow[]>;
  auditTrail: AuditTrailBackend;
  meanRestartMs: (service: string) => number;
  /** Facts about the process: version, leader, Redis, store. */
  about: () => Promise<Record<string, unknown>>;
  /** What is wrong with Redis now. */
  redisAlerts: () => StandingAlert[];
  /** Called on the next change; answers how to stop listening. */
  onChange: (listener: () => void) => () => void;
  changeKeys: (actor: string, hostId: string, change: KeyChange) => Promise<Answer>;
  /** Make the user with which a host comes to Redis. */
  makeRedisUser: (actor: string, hostId: string, passwordSha256: string) => Promise<Answer>;
  advisories: AdvisoryBackend;
}

const KeyText = z.string().max(1_000, 'want a key as groundswell agent --show-key prints it');

/** Whose signatures are believed (R1). */
export const KeyChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('enrol'), machineId: NameText.min(1), publicKey: KeyText }),
  z.strictObject({ kind: z.literal('add'), publicKey: KeyText }),
  z.strictObject({ kind: z.literal('revoke') }),
]);
export type KeyChange = z.infer<typeof KeyChange>;

const KeysBody = z.strictObject({ actor: ActorText, hostId: HostId, change: KeyChange });

const RedisUserBody = z.strictObject({
  actor: ActorText,
  hostId: HostId,
  passwordSha256: z.string().regex(/^[0-9a-f]{64}$/, 'want the SHA-256 of a password, in hex'),
});

const ActionBody = z.strictObject({ actor: ActorText, action: OperatorAction });

const AuditQueryString = z.strictObject({
  container: z.string().optional(),
  service: z.string().optional(),
  wave: z.string().optional(),
  actor: z.string().optional(),
  outcome: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
});

const hostsView = (fleet: Fleet, now: number): unknown[] =>
  [...fleet.hosts.values()].map((host) => {
    const containers = [...fleet.containers.values()].filter(
      (container) => container.host === host.id,
    );
    return {
      id: host.id,
      zone: host.zone,
      cap: host.cap,
      platform: host.platform,
      state:
        barred(host) ??
        (!host.known
          ? 'not heard yet'
          : host.heardAt === null || now - host.heardAt > fleet.settings.staleLimitMs
            ? 'silent'
            : 'ok'),
      heardAgoMs: host.heardAt === null ? null : Math.max(0, now - host.heardAt),
      containers: containers.length,
      stale: containers.filter(({ view }) => view.stale.length > 0).length,
      atRest: host.atRest,
      atRestReason: host.atRestReason,
      gate: host.gate,
      rebootRequired: host.rebootRequired,
      staleHostProcesses: host.staleHostProcesses,
      agentStale: host.agentStale,
      suspects: host.suspects.length,
    };
  });

const containersView = (backend: ApiBackend): unknown[] => {
  const fleet = backend.fleet();
  const moment = backend.moment();
  return [...fleet.containers.values()].flatMap(({ id, view }) => {
    const why = explainContainer(fleet, id, moment);
    return why === null
      ? []
      : [
          {
            ...why,
            state: view.state,
            health: view.health,
            address: view.address,
            onHostRoot: view.onHostRoot,
            unhidden: view.unhidden,
          },
        ];
  });
};

const wavesView = (backend: ApiBackend): unknown[] =>
  [...backend.fleet().waves.values()].map((wave) =>
    summarizeWave(backend.fleet(), wave, backend.moment()),
  );

const statusView = async (backend: ApiBackend): Promise<unknown> => {
  const fleet = backend.fleet();
  const { now, wall } = backend.moment();
  const problem = backend.problem();
  const alerts = [
    ...(problem === null ? [] : [problem]),
    ...backend.redisAlerts(),
    ...fleetAlerts(fleet, { now, wall }),
    ...feedAlerts(backend.advisories.feeds()),
    ...backend.refusedAlerts(),
  ];
  return {
    ...(await backend.about()),
    alerts: alerts.map(({ since, text }) => ({
      since: since === null ? null : new Date(since).toISOString(),
      text,
    })),
    hosts: hostsView(fleet, now),
    services: summarizeServices(fleet, now),
    waves: wavesView(backend),
    pauses: [...fleet.pauses.values()].map((pause) => ({
      ...pause,
      ...pauseState(fleet, pause.level, now),
    })),
    freezes: [...fleet.freezes.values()].filter(({ until }) => until === null || until > wall.ms),
    grants: [...fleet.grants.values()],
  };
};

/** The HTTP API: reads answer views of the coordinator's memory, POST carries changes. */
export const createApi = (backend: ApiBackend): FastifyInstance => {
  const app = fastify({ logger: false, bodyLimit: 1_048_576 });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    void reply.status(error.statusCode ?? 500).send({ error: error.message });
  });
  app.setNotFoundHandler((request, reply) => {
    void reply.status(404).send({ error: `the API has no ${request.method} ${request.url}` });
  });
  app.get('/v1/status', () => statusView(backend));
  app.get('/v1/hosts', () => hostsView(backend.fleet(), backend.moment().now));
  app.get('/v1/containers', () => containersView(backend));
  app.get('/v1/services', () => summarizeServices(backend.fleet(), backend.moment().now));
  app.get('/v1/waves', () => wavesView(backend));
  app.get('/v1/plan', () => planRestarts(backend.fleet(), backend.moment(), backend.meanRestartMs));
  app.get('/v1/queues', () => backend.queues());
  app.get<{ Params: { id: string } }>('/v1/waves/:id', (request, reply) => {
    const wave = backend.fleet().waves.get(request.params.id);
    if (wave === undefined)
      return reply
        .status(404)
        .send({ error: `there is no wave ${request.params.id}; see: groundswell waves` });
    return reply.send(summarizeWave(backend.fleet(), wave, backend.moment()));
  });
  app.get<{ Params: { host: string; name: string } }>(
    '/v1/containers/:host/:name',
    (request, reply) => {
      const id = `${request.params.host}/${request.params.name}`;
      const found = explainContainer(backend.fleet(), id, backend.moment());
      return found === null
        ? reply
            .status(404)
            .send({ error: `there is no container ${id}; see: groundswell containers` })
        : reply.send(found);
    },
  );
  app.get('/v1/audit', async (request, reply) => {
    const query = AuditQueryString.safeParse(request.query);
    if (!query.success) return reply.status(400).send(malformed(query.error));
    const { container, service, wave, actor, outcome, since, until, after, limit } = query.data;
    const filter = { container, service, wave, actor, outcome, since, until };
    return reply.send(await backend.audit({ ...filter, after, limit }));
  });
  app.get('/v1/audit/bundle', async (_request, reply) =>
    reply.type('application/gzip').send(await backend.auditTrail.bundle()),
  );
  app.get('/v1/audit/keys', () => backend.auditTrail.keys());
  addChange(app, '/v1/actions', ActionBody, ({ actor, action }) => backend.act(actor, action));
  addChange(app, '/v1/keys', KeysBody, ({ actor, hostId, change }) =>
    backend.changeKeys(actor, hostId, change),
  );
  addChange(app, '/v1/redis-users', RedisUserBody, ({ actor, hostId, passwordSha256 }) =>
    backend.makeRedisUser(actor, hostId, passwordSha256),
  );
  addAdvisoryRoutes(app, backend.advisories);
  app.get('/v1/changes', (request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    raw.write(': connected\n\n');
    const stop = backend.onChange(() => raw.write('event: change\ndata: {}\n\n'));
    request.raw.on('close', stop);
  });
  return app;
};

/** Listen on a Unix socket that root and one group may use; a socket left by a dead server is replaced. */
export const listenOnSocket = async (
  app: FastifyInstance,
  socketPath: string,
  groupId: number | null,
): Promise<void> => {
  await rm(socketPath, { force: true });
  await app.listen({ path: socketPath });
  if (groupId !== null) await chown(socketPath, 0, groupId);
  await chmod(socketPath, 0o660);
};
