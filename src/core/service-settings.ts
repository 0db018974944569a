import { z } from 'zod';

/** A count, or a share of all members such as `25%`. */
export const CountOrPercent = z.union([
  z.int().min(0),
  z.string().regex(/^(100|[1-9]?[0-9])%$/, 'want a count or a percentage such as 25%'),
]);
export type CountOrPercent = z.infer<typeof CountOrPercent>;

/** Of the names of hosts or of containers. One with another sign in it would match nothing. */
export const NameGlob = z
  .string()
  .regex(/^[A-Za-z0-9_.*?-]+$/, 'want a name; * stands for any characters, ? for one');

/** Exactly one of both. */
export const Budget = z.union([
  z.strictObject({ maxUnavailable: CountOrPercent }),
  z.strictObject({ minAvailable: CountOrPercent }),
]);
export type Budget = z.infer<typeof Budget>;

export const Mode = z.enum(['observe', 'approve', 'auto']);
export type Mode = z.infer<typeof Mode>;

/** How a host learns that a container serves again. */
export const HealthCheck = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    port: z.int().min(1).max(65535),
    path: z.string().startsWith('/').default('/'),
    /** Accepted status codes; default 200 to 399. */
    status: z.array(z.int()).optional(),
  }),
  z.strictObject({ kind: z.literal('tcp'), port: z.int().min(1).max(65535) }),
  /** Argument vector run inside the container; healthy when it exits with 0. */
  z.strictObject({ kind: z.literal('command'), command: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal('running') }),
]);
export type HealthCheck = z.infer<typeof HealthCheck>;

export const HaproxyDrain = z.strictObject({
  /** Path of the runtime socket, or `host:port`. */
  socket: z.string(),
  backend: z.string(),
  /** Server name in the backend; `{name}` stands for the container's name. */
  server: z.string().default('{name}'),
  /** How long to wait for the last session before the drain counts as failed. */
  timeoutMs: z.int().positive().default(30_000),
});
export type HaproxyDrain = z.infer<typeof HaproxyDrain>;

/** What a host does around a restart of one container of a service: the host's own configuration. */
export const HostServiceSettings = z.strictObject({
  health: HealthCheck.default({ kind: 'running' }),
  probeIntervalMs: z.int().min(10).default(250),
  probeTimeoutMs: z.int().min(10).default(2_000),
  minHealthyTimeMs: z.int().min(0).default(2_000),
  healthyDeadlineMs: z.int().positive().default(120_000),
  stopTimeoutMs: z.int().positive().default(30_000),
  /** Argument vectors run on the host; `{name}` and `{address}` are replaced. */
  beforeStop: z.array(z.string()).min(1).optional(),
  afterHealthy: z.array(z.string()).min(1).optional(),
  commandTimeoutMs: z.int().positive().default(30_000),
  haproxy: HaproxyDrain.optional(),
});
export type HostServiceSettings = z.infer<typeof HostServiceSettings>;

/** Which containers are members, how many may be missing, and who decides: the server's configuration. */
export const ServiceSettings = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9./-]{0,126}$/,
      'want a service name such as web or shop/api (a-z, 0-9, dot, slash, dash; at most 127)',
    ),
  match: z
    .array(
      z.strictObject({
        host: NameGlob.optional(),
        container: NameGlob.optional(),
        group: z.string().optional(),
      }),
    )
    .default([]),
  budget: Budget.default({ maxUnavailable: 1 }),
  mode: Mode.default('approve'),
  /** Whether a broken member may be restarted beyond the budget (R17). */
  restartBroken: z.boolean().default(false),
});
export type ServiceSettings = z.infer<typeof ServiceSettings>;
