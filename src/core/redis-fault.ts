import { beginningOf } from './beginning-of.ts';

/** What can be wrong with a Redis; several at once. */
export type RedisFaultKind =
  | 'unreachable'
  | 'silent'
  | 'slow'
  | 'loading'
  | 'wrong-password'
  | 'missing-right'
  | 'read-only'
  | 'full'
  | 'nearly-full'
  | 'evicts'
  | 'refuses-writes'
  | 'too-many-clients'
  | 'lost-data'
  | 'other';

export interface RedisFault {
  kind: RedisFaultKind;
  /** What is wrong, and what to do: each a part of a line for people. */
  what: string;
  remedy: string;
}

/** In a few words, for the line of `status` that says how Redis is. */
export const redisFaultName: Record<RedisFaultKind, string> = {
  unreachable: 'cannot be reached',
  silent: 'silent',
  slow: 'slow',
  loading: 'loads its data',
  'wrong-password': 'refuses the password',
  'missing-right': 'the user lacks a right',
  'read-only': 'read-only replica',
  full: 'memory full',
  'nearly-full': 'memory nearly full',
  evicts: 'may throw jobs away',
  'refuses-writes': 'refuses writes',
  'too-many-clients': 'too many connections',
  'lost-data': 'has lost data',
  other: 'answers with an error',
};

/** These warn; with the others no job reaches a host. */
const warnings: ReadonlySet<RedisFaultKind> = new Set<RedisFaultKind>([
  ...(['slow', 'nearly-full', 'evicts', 'lost-data'] as const),
]);

/** Whether nothing new begins as long as it stands. */
export const stopsWork = ({ kind }: Pick<RedisFault, 'kind'>): boolean => !warnings.has(kind);

/** One line for people; it says of what stops work what that means, so that nobody does in haste what need not be done. */
export const redisFaultText = (fault: RedisFault): string =>
  `${fault.what}${stopsWork(fault) ? ' (nothing new begins, what has begun is finished, nothing is lost)' : ''}: ${fault.remedy}`;

/** Redis, or the way to it, gives no answer although the connection stands. */
export const silentFault: RedisFault = {
  kind: 'silent',
  what: 'Redis does not answer on a connection that stands',
  remedy:
    'it stands still, or something on the way swallows the connection; look at its machine, and at firewalls and proxies between',
};

/** `tookMs`: what one command took. */
export const slowFault = (tookMs: number): RedisFault => ({
  kind: 'slow',
  what: `Redis takes ${(tookMs / 1_000).toFixed(1)} s to answer, and everything waits for it`,
  remedy: 'look at the load of its machine, at SLOWLOG GET, and at the way to it',
});

/** `wentBack`: it holds an earlier state; else it was found empty. */
export const lostDataFault = (wentBack: boolean): RedisFault => ({
  kind: 'lost-data',
  what: `Redis ${wentBack ? 'went back to an earlier state' : 'lost its data'} (FLUSHALL, or a restart or failover without its newest data)`,
  remedy: 'what was ordered is put in again by itself; find out why, and see that appendonly is on',
});

const rightOf = (message: string): string => {
  const command = /'([^']+)' command/.exec(message)?.[1];
  return command === undefined ? 'use the keys that it needs' : `run ${command.toUpperCase()}`;
};

type Rule = [RegExp, RedisFaultKind, (message: string) => Pick<RedisFault, 'what' | 'remedy'>];

/** What Redis and its client say, the most certain first. */
const rules: readonly Rule[] = [
  [
    /WRONGPASS|NOAUTH|invalid password|invalid username-password/i,
    'wrong-password',
    (message) => ({
      what: `Redis refuses the user or the password of redis.url (${message})`,
      remedy:
        'mend redis.url and restart this process, or mend the user in Redis (ACL SETUSER, or users.acl and ACL LOAD)',
    }),
  ],
  [
    /NOPERM|no permissions/i,
    'missing-right',
    (message) => ({
      what: `the Redis user of redis.url may not ${rightOf(message)}`,
      remedy:
        'give it the right (ACL SETUSER, or users.acl and ACL LOAD): an agent’s are what `groundswell agent --redis-user` prints on its host, the server’s are +@all',
    }),
  ],
  [
    /READONLY/,
    'read-only',
    () => ({
      what: 'Redis is a read-only replica',
      remedy: 'set redis.url to its master, or make it one with REPLICAOF NO ONE',
    }),
  ],
  [
    /\bOOM\b/,
    'full',
    () => ({
      what: 'Redis has reached its maxmemory and takes no jobs',
      remedy:
        'raise it (CONFIG SET maxmemory, and the same in redis.conf), or remove what others keep there',
    }),
  ],
  [
    /max number of clients/,
    'too-many-clients',
    () => ({
      what: 'Redis takes no further connections',
      remedy:
        'raise maxclients to 1,000 more than twice the number of hosts, and its limit of open files with it',
    }),
  ],
  [
    /MISCONF|NOREPLICAS|MASTERDOWN/,
    'refuses-writes',
    (message) => ({
      what: `Redis refuses writes (${message})`,
      remedy: 'look at the disk of its data, at its log, and at its replicas',
    }),
  ],
  [
    /LOADING/,
    'loading',
    () => ({ what: 'Redis is reading its data since its start', remedy: 'it goes on by itself' }),
  ],
  [/socket timeout/i, 'silent', () => silentFault],
  [
    // Over its maxclients Redis says so and closes; what was sent to it meanwhile makes an EPIPE of that.
    /EPIPE|ECONNRESET|connection (is|was) closed/i,
    'unreachable',
    (message) => ({
      what: `Redis, or something on the way to it, closes the connection (${message})`,
      remedy:
        'see whether it runs, what its log says, and whether its maxclients is reached (INFO clients): it wants 1,000 more than twice the number of hosts',
    }),
  ],
  [
    /ECONN|ENOENT|ENOTFOUND|EAI_|EHOST|ENET|EACCES|ETIMEDOUT|sentinels are unreachable/i,
    'unreachable',
    (message) => ({
      what: `Redis cannot be reached (${message})`,
      remedy: 'start it, or mend redis.url or the way to it',
    }),
  ],
];

/** The fault that an error of Redis or of its client speaks of; `other` where it is none that is known. */
export const faultOfError = (error: string): RedisFault => {
  const message = beginningOf(error.split('\n')[0] ?? '', 200);
  for (const [pattern, kind, saying] of rules)
    if (pattern.test(message)) return { ...saying(message), kind };
  return {
    kind: 'other',
    what: `Redis answers with an error: ${message}`,
    remedy: 'look at its log',
  };
};

/** One field of what `INFO` answers; null: it is not there. */
export const infoField = (info: string, name: string): string | null =>
  new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? null;

/** Part of maxmemory from which on it is told. */
const nearlyFull = 0.7;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;

const roleFaults = (info: string): RedisFault[] => {
  if (infoField(info, 'role') !== 'slave') return [];
  const [host, port] = [infoField(info, 'master_host'), infoField(info, 'master_port')];
  const { what, ...fault } = faultOfError('READONLY');
  return [{ ...fault, what: `${what} of ${host ?? '?'}:${port ?? '?'}` }];
};

const memoryFaults = (info: string): RedisFault[] => {
  const [used, limit] = ['used_memory', 'maxmemory'].map((name) =>
    Number(infoField(info, name) ?? 0),
  ) as [number, number];
  if (limit === 0 || used < limit * nearlyFull) return [];
  return [
    {
      kind: 'nearly-full',
      what: `Redis has used ${megabytes(used)} of the ${megabytes(limit)} of its maxmemory, and takes no jobs when it is full`,
      remedy: 'raise it, or remove what others keep there',
    },
  ];
};

const policyFaults = (info: string): RedisFault[] => {
  const policy = infoField(info, 'maxmemory_policy');
  if (policy === null || policy === 'noeviction') return [];
  return [
    {
      kind: 'evicts',
      what: `maxmemory-policy of Redis is ${policy}: it may throw jobs away, which come late then`,
      remedy: 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
    },
  ];
};

/** What `INFO` tells of a Redis that answers: of its role, its policy and its memory. */
export const faultsOfInfo = (info: string): RedisFault[] => [
  ...roleFaults(info),
  ...policyFaults(info),
  ...memoryFaults(info),
];
