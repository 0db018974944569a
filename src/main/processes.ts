import { execa } from 'execa';
import { join } from 'node:path';
import { processEnvironment } from '../config/environment.ts';
import { fleetSettingsOf, minuteOfDay } from '../config/fleet-settings.ts';
import { hostIdOf } from '../config/host-id.ts';
import { serverServices } from '../config/services.ts';
import { agentSettingsRecord, serverSettingsRecord } from '../config/shown-settings.ts';
import { Configuration } from '../config/schema.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { limitErrors } from '../telemetry/limited-errors.ts';
import { exploitedFeedsOf, openFeeds, trackerFeedsOf } from './feeds.ts';
import { redisFrom, settingsPortFrom } from './from-config.ts';
import { programRoot } from './program-root.ts';
import { corePackagesOf, manifestDirectories } from './platforms.ts';
import { startRedisChild } from './redis-child.ts';
import { enrolOwnHost } from './enrol-own-host.ts';
import { makeDataDirectory, readConfig, readHostConfig } from './read-config.ts';
import { runAgent } from './run-agent.ts';
import { runServer } from './run-server.ts';
import type { RunningServer } from './run-server.ts';
import { version } from './version.ts';
import { closeInOrder, stopSignal, untilAborted } from './until-stopped.ts';

const needsRoot = (what: string): void => {
  if (process.getuid?.() !== 0)
    throw new Error(
      `${what} works on this host's packages and containers, so it needs root: use sudo`,
    );
};

const startRedisOf = async (
  config: Configuration,
  logger: Logger,
): Promise<{ address: RedisAddress; stop: () => Promise<void> }> => {
  const configured = redisFrom(config);
  if (configured !== null) return { address: configured, stop: () => Promise.resolve() };
  return startRedisChild({
    dataDirectory: config.dataDirectory,
    onProblem: (text) => {
      limitErrors(logger)(new Error(text), 'redis-server');
    },
  });
};

const startServerOf = async (
  { config, file }: { config: Configuration; file: string | undefined },
  redis: RedisAddress,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningServer> => {
  const core = await corePackagesOf(config, manifestDirectories(file), (text) => {
    logger.warn(text);
  });
  return runServer({
    version,
    dataDirectory: config.dataDirectory,
    socketPath: config.server.socket,
    redis,
    settings: fleetSettingsOf(config, core),
    services: serverServices(config),
    describeSettings: (salt) => serverSettingsRecord(config, salt),
    minuteOfDay: (date) => minuteOfDay(date.getTime(), config),
    notify: config.server.notify,
    auditing: config.server.audit,
    exploitedFeeds: exploitedFeedsOf(config),
    trackerFeeds: trackerFeedsOf(config),
    feeds: (directory) => openFeeds(config, directory),
    logger,
    signal,
  });
};

/** Tell the service manager that we are up (sd_notify(3)), where it asked to be told. */
const tellReady = async (): Promise<void> => {
  if (processEnvironment()['NOTIFY_SOCKET'] !== undefined)
    await execa('systemd-notify', ['--ready'], { reject: false });
};

const wait = async (signal: AbortSignal, lost: Promise<void>): Promise<void> => {
  const over = await Promise.race([
    untilAborted(signal).then(() => 'stopped' as const),
    lost.then(() => 'lost' as const),
  ]);
  if (over === 'lost')
    throw new Error('another server has taken over: this one ends, to begin anew as a standby');
};

/** `groundswell server`: coordinator and API of a fleet of several hosts. */
export const serve = async (file: string | undefined): Promise<void> => {
  const config = await readConfig(file);
  const logger = createLogger(config.log.level, 'server');
  const signal = stopSignal();
  await makeDataDirectory(config);
  if (redisFrom(config) === null)
    logger.warn(
      'redis.url is not set: this server starts a Redis of its own, which no agent of another machine can reach',
    );
  const redis = await startRedisOf(config, logger);
  try {
    const running = await startServerOf({ config, file }, redis.address, logger, signal);
    logger.info(
      { socket: config.server.socket, publicKeys: running.publicKeys },
      'the server is up',
    );
    await tellReady();
    await wait(signal, running.server.lost).finally(running.stop);
  } finally {
    await redis.stop();
  }
};

/** `groundswell agent`: this host's half of it. */
export const beAgent = async (file: string | undefined): Promise<void> => {
  needsRoot('groundswell agent');
  const { config, privatePaths } = await readHostConfig(file);
  const redis = redisFrom(config);
  if (redis === null)
    throw new Error(
      'an agent of its own needs the Redis of its server: set redis.url in the configuration (or use groundswell up, which starts one)',
    );
  const logger = createLogger(config.log.level, 'agent');
  const signal = stopSignal();
  await makeDataDirectory(config);
  const { zone, hostCap } = Configuration.parse({}).agent;
  if (config.agent.zone !== zone || config.agent.hostCap !== hostCap)
    logger.warn(
      `agent.zone and agent.hostCap are read by groundswell up alone; say it to the server: groundswell host add ${hostIdOf(config)} --zone ${config.agent.zone} --cap ${config.agent.hostCap}`,
    );
  const agent = await startAgentOf({ config, privatePaths }, redis, logger);
  logger.info({ hostId: hostIdOf(config) }, 'the agent is up');
  await tellReady();
  await untilAborted(signal);
  await agent.stop();
};

const startAgentOf = (
  { config, privatePaths }: { config: Configuration; privatePaths: string[] },
  redis: RedisAddress,
  logger: Logger,
): ReturnType<typeof runAgent> =>
  runAgent({
    version,
    hostId: hostIdOf(config),
    dataDirectory: config.dataDirectory,
    lxcPath: config.agent.lxcPath,
    spoolDirectory: config.agent.spoolDirectory,
    privatePaths,
    redis,
    settings: settingsPortFrom(config),
    describeSettings: (salt) => agentSettingsRecord(config, salt),
    every: {
      lookMs: config.agent.healthIntervalMs,
      wholeMs: config.agent.observeSeconds * 1_000,
      compareMs: config.agent.packageCheckSeconds * 1_000,
      refreshMs: config.agent.refreshSeconds === 0 ? null : config.agent.refreshSeconds * 1_000,
    },
    launcherPath: join(programRoot(), 'packaging/libexec/groundswell-run-transaction'),
    logger,
  });

/** `groundswell up`: server, agent and, unless one is configured, their own Redis, in one process. */
export const runAllInOne = async (file: string | undefined): Promise<void> => {
  needsRoot('groundswell up');
  const { config, privatePaths } = await readHostConfig(file);
  const logger = createLogger(config.log.level, 'groundswell');
  const signal = stopSignal();
  await makeDataDirectory(config);
  const redis = await startRedisOf(config, logger);
  const closers: (() => Promise<void>)[] = [redis.stop];
  try {
    const running = await startServerOf({ config, file }, redis.address, logger, signal);
    closers.unshift(running.stop);
    await enrolOwnHost(running.server, running.publicKeys, config);
    const agent = await startAgentOf({ config, privatePaths }, redis.address, logger);
    closers.unshift(agent.stop);
    logger.info(
      { hostId: hostIdOf(config), socket: config.server.socket },
      'server and agent are up',
    );
    await tellReady();
    await wait(signal, running.server.lost);
  } finally {
    await closeInOrder(closers);
  }
};
