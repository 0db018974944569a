import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AdvisoryBackend } from '../api/advisory-routes.ts';
import { createApi, listenOnSocket } from '../api/server.ts';
import type { ApiBackend } from '../api/server.ts';
import { errorText } from '../core/error-text.ts';
import type { FleetSettings } from '../core/coordinator/fleet.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { SettingsRecord } from '../core/settings-record.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { loadOrMakeKeys } from '../jobs/key-files.ts';
import { importPublicKey } from '../jobs/signing-key.ts';
import { refuseUnderWay } from '../store/backup/under-way.ts';
import { lockFile } from '../store/open-sqlite.ts';
import { openStore } from '../store/open-store.ts';
import { limitErrors } from '../telemetry/limited-errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AuditSettings } from '../workers/control/keep-audit.ts';
import type { NotifySettings } from '../workers/control/notify.ts';
import { removeHost } from '../workers/control/remove-host.ts';
import { startServer } from '../workers/control/start-server.ts';
import type { Server } from '../workers/control/server.ts';
import { advisoryBackend } from './advisory-backend.ts';
import type { ConfiguredFeeds } from './feeds.ts';
import { closeInOrder } from './until-stopped.ts';
import { watchFeeds } from './watch-feeds.ts';
import { groupIdOf } from './group-id.ts';
import { publicKeysOf, serverDirectory, serverKeysPath } from './key-card.ts';

export interface RunServerOptions {
  version: string;
  dataDirectory: string;
  socketPath: string;
  redis: RedisAddress;
  settings: FleetSettings;
  services: readonly ServiceSettings[];
  /** The settings as the audit trail tells changes of them. */
  describeSettings: (salt: string) => SettingsRecord;
  /** Minute of the day, for the maintenance window. */
  minuteOfDay: (date: Date) => number;
  notify: NotifySettings;
  auditing: Omit<AuditSettings, 'directory'>;
  exploitedFeeds: ReadonlySet<string>;
  trackerFeeds: ReadonlySet<string>;
  /** The feeds to watch, whose mirrors lie below this directory. */
  feeds: (directory: string) => Promise<ConfiguredFeeds>;
  logger: Logger;
  signal: AbortSignal;
}

export interface RunningServer {
  server: Server;
  /** Base64 of the keys that agents must know. */
  publicKeys: string[];
  stop: () => Promise<void>;
}

/** Operators of this group may use the socket without being root. */
const operatorsGroup = 'groundswell';

/** Added to the answer to what was committed while Redis did not answer, or took no jobs. */
const heardLater = 'it is recorded, nothing new begins, and hosts hear of it when it does';

/** By its id, which the host's own commands print too. */
const keyName = (publicKey: string): string => `key ${importPublicKey(publicKey).id}`;

const backendOf = (
  server: Server,
  advisories: AdvisoryBackend,
  options: RunServerOptions,
): ApiBackend => ({
  advisories,
  fleet: server.coordinator.fleet,
  problem: server.coordinator.problem,
  moment: server.moment,
  act: async (actor, action) => {
    // A misspelt host would stand in the fleet for ever, and never be heard.
    if (action.action === 'host-add' && !server.hostKeys.isEnrolled(action.hostId))
      return {
        ok: false,
        reason: `no key of host ${action.hostId} is known here: give --key with what \`groundswell agent --show-key\` prints there`,
      };
    const answer = await (action.action === 'host-remove'
      ? removeHost(server, actor, action.hostId)
      : server.coordinator.act(actor, action));
    if (!answer.ok || (await server.redis.works())) return answer;
    const now = (await server.redis.state()).replace(/^answers, but: .*$/, 'takes no jobs');
    return {
      ...answer,
      text: `${answer.text}; Redis ${now.split(' (')[0] ?? now} now: ${heardLater}`,
    };
  },
  redisAlerts: server.redis.alerts,
  refusedAlerts: server.refusedAlerts,
  queues: server.queues,
  audit: server.audit,
  auditTrail: server.auditTrail,
  meanRestartMs: server.meanRestartMs,
  onChange: server.coordinator.onChange,
  about: async () => ({
    version: options.version,
    leader: server.leads(),
    redis: await server.redis.state(),
    redisFaults: server.redis.kinds(),
    store: join(serverDirectory(options.dataDirectory), 'store.sqlite'),
  }),
  changeKeys: async (actor, hostId, change) => {
    try {
      switch (change.kind) {
        case 'enrol':
          await server.hostKeys.enrol(hostId, change.machineId, change.publicKey);
          return await server.changedKeys(actor, hostId, `enrolled ${keyName(change.publicKey)}`);
        case 'add':
          await server.hostKeys.addKey(hostId, change.publicKey);
          return await server.changedKeys(actor, hostId, `added ${keyName(change.publicKey)}`);
        case 'revoke':
          // One that is not recorded yet (its record could not be written) is, when it is asked for again.
          if (
            !(await server.hostKeys.revoke(hostId)) &&
            server.coordinator.fleet().hosts.get(hostId)?.revoked !== false
          )
            return { ok: false, reason: `host ${hostId} is not enrolled` };
          return await server.changedKeys(actor, hostId, 'revoked every key');
      }
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  },
  makeRedisUser: async (actor, hostId, passwordSha256) => {
    if (!server.hostKeys.isEnrolled(hostId) || !server.leads())
      return {
        ok: false,
        reason: server.leads()
          ? `host ${hostId} is not enrolled: groundswell host enrol`
          : 'this server does not lead now',
      };
    try {
      const { what, left } = await server.makeRedisUser(hostId, passwordSha256);
      const answer = await server.changedKeys(actor, hostId, what);
      return answer.ok ? { ...answer, text: [answer.text, ...left].join('; ') } : answer;
    } catch (error) {
      return {
        ok: false,
        reason: `its key is believed, but the Redis user of ${hostId} is not as it should be: ${errorText(error)}`,
      };
    }
  },
});

/** The server of this machine: its store and keys under the data directory, its API on a Unix socket. */
export const runServer = async (options: RunServerOptions): Promise<RunningServer> => {
  const directory = serverDirectory(options.dataDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(directory, 'lock'));
  if (lock === null)
    throw new Error(
      `another server works in ${directory}: stop it first, or give this one its own data directory`,
    );
  const closers: (() => Promise<void>)[] = [
    () => {
      lock.release();
      return Promise.resolve();
    },
  ];
  try {
    // Before anything is made anew that a restore has moved away.
    await refuseUnderWay(directory);
    const keys = await loadOrMakeKeys(serverKeysPath(options.dataDirectory), null);
    const store = await openStore(join(directory, 'store.sqlite'));
    closers.unshift(store.close);
    const feedsDirectory = join(directory, 'feeds');
    const configured = await options.feeds(feedsDirectory);
    closers.unshift(configured.close);
    const auditing = { ...options.auditing, directory: join(directory, 'audit') };
    const server = await startServer({ ...options, auditing, store, keys, seizeLease: true });
    closers.unshift(server.stop);
    const watch = await watchFeeds({
      ...{ store, configured, directory: feedsDirectory },
      onChange: server.advisories.wake,
      alert: server.alert,
      onError: limitErrors(options.logger),
    });
    closers.unshift(watch.stop);
    server.onInventories(watch.hostsChanged);
    const api = createApi(backendOf(server, advisoryBackend(server, watch, store), options));
    closers.unshift(async () => {
      // Followers of changes hold their connections for ever.
      api.server.closeAllConnections();
      await api.close();
    });
    await mkdir(dirname(options.socketPath), { recursive: true, mode: 0o755 });
    await listenOnSocket(api, options.socketPath, await groupIdOf(operatorsGroup));
    return { server, publicKeys: publicKeysOf(keys), stop: () => closeInOrder(closers) };
  } catch (error) {
    await closeInOrder(closers);
    throw error;
  }
};
