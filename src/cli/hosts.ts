import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { callApi, ApiError } from '../api/client.ts';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';
import type { OperatorAction } from '../core/coordinator/operator.ts';

type Options = { json?: boolean; socket?: string };

/** What `groundswell agent --show-key` prints on a host. */
const KeyCard = z.strictObject({
  hostId: z.string(),
  machineId: z.string(),
  publicKey: z.string(),
  // Cards of before this field.
  redisPasswordSha256: z.string().nullable().default(null),
});

type Card = z.infer<typeof KeyCard>;

/** `3`, or `default`: what the configuration says for every host. */
export const readCap = (text: string): number | 'default' => {
  if (text === 'default') return text;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Want a whole number of at least 1, or default.');
};

/** The card in the file at `path`, which must be that host's: no host is believed by another one's key. */
const readKeyCard = async (path: string, hostId: string): Promise<Card> => {
  let card;
  try {
    card = KeyCard.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new ApiError(
      `${path} holds no key of an agent: write it on the host with \`groundswell agent --show-key > key.json\` (${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)})`,
      null,
    );
  }
  if (card.hostId !== hostId)
    throw new ApiError(`${path} is the key of ${card.hostId}, not of ${hostId}`, null);
  return card;
};

/** What `host add` and `host enrol` may say of a host besides. */
interface Place {
  zone?: string;
  cap?: number | 'default';
}

const withPlace = (command: Command): Command =>
  command
    .option('--zone <zone>', 'failure domain: rack, data centre; of a new host: default')
    .option('--cap <n>', "restarts at once on this host; default: the fleet's cap again", readCap);

/** `host enrol|add|exclude|revoke|remove|rotate-key`: who may speak as a host. */
export const registerHosts = (program: Command, deps: CliDependencies): void => {
  const host = program.command('host').description('enrol, exclude, revoke and remove hosts');
  const believe = (remote: Remote, { hostId, machineId, publicKey }: Card): Promise<unknown> =>
    callApi(remote.socketPath, 'POST', '/v1/keys', {
      ...{ actor: deps.actor, hostId },
      change: { kind: 'enrol', machineId, publicKey },
    });
  const adding = (hostId: string, { zone, cap }: Place): OperatorAction => ({
    ...{ action: 'host-add', hostId, zone: zone ?? null, cap: cap ?? null },
  });

  withPlace(
    withRemoteOptions(
      host
        .command('enrol')
        .argument('<id>')
        .description('believe the key of a new host, and make its user of Redis'),
    ),
  )
    .requiredOption('--key <file>', 'what `groundswell agent --show-key` printed on the host')
    .action(async (hostId: string, options: Options & Place & { key: string }) => {
      const remote = remoteFor(deps, options);
      const card = await readKeyCard(options.key, hostId);
      const { redisPasswordSha256: passwordSha256 } = card;
      if (passwordSha256 === null)
        throw new ApiError(
          `${options.key} tells no password for Redis: give redis.url on ${hostId} the user ${hostId} and a password of its own of 20 characters or more (openssl rand -hex 24), and write its key anew; where Redis has one user for all: groundswell host add`,
          null,
        );
      await believe(remote, card);
      // Before it is a member: without a user its agent could tell nothing.
      const made = (await callApi(remote.socketPath, 'POST', '/v1/redis-users', {
        ...{ actor: deps.actor, hostId, passwordSha256 },
      })) as { text: string };
      const added = await remote.act(adding(hostId, options));
      remote.show({ ...added, text: `${added.text}; ${made.text}` }, ({ text }) => text);
    });
  withPlace(
    withRemoteOptions(
      host
        .command('add')
        .argument('<id>')
        .description('believe the key of a new host, or take an excluded one back'),
    ),
  )
    .option(
      '--key <file>',
      'what `groundswell agent --show-key` printed on the host; not needed where it is enrolled already',
    )
    .action(async (hostId: string, options: Options & Place & { key?: string }) => {
      const remote = remoteFor(deps, options);
      if (options.key !== undefined) await believe(remote, await readKeyCard(options.key, hostId));
      await actAndTell(remote, adding(hostId, options));
    });
  withRemoteOptions(
    host
      .command('exclude')
      .argument('<id>')
      .description('end the grants of a host whose machine is off or fenced'),
  )
    .requiredOption(
      '--fenced',
      'your word that the machine is off or cut off: its containers cannot be running',
    )
    .option('--reason <text>', 'for the record', 'no reason given')
    .action(async (hostId: string, options: Options & { reason: string }) =>
      actAndTell(remoteFor(deps, options), {
        action: 'host-exclude',
        hostId,
        fenced: true,
        reason: options.reason,
      }),
    );
  withRemoteOptions(
    host.command('revoke').argument('<id>').description('believe none of its keys any more'),
  ).action(async (hostId: string, options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show(
      (await callApi(remote.socketPath, 'POST', '/v1/keys', {
        actor: deps.actor,
        hostId,
        change: { kind: 'revoke' },
      })) as { text: string },
      ({ text }) => text,
    );
  });
  withRemoteOptions(
    host
      .command('remove')
      .argument('<id>')
      .description('forget a host that was excluded or revoked, and will not come back'),
  ).action(async (hostId: string, options: Options) =>
    actAndTell(remoteFor(deps, options), { action: 'host-remove', hostId }),
  );
  withRemoteOptions(
    host
      .command('rotate-key')
      .argument('<id>')
      .description('believe a second key of a host as well; of three the oldest goes'),
  )
    .requiredOption('--key <file>', 'what `groundswell agent --new-key` printed on the host')
    .action(async (hostId: string, options: Options & { key: string }) => {
      const remote = remoteFor(deps, options);
      const { publicKey } = await readKeyCard(options.key, hostId);
      remote.show(
        (await callApi(remote.socketPath, 'POST', '/v1/keys', {
          actor: deps.actor,
          hostId,
          change: { kind: 'add', publicKey },
        })) as { text: string },
        ({ text }) => text,
      );
    });
};
