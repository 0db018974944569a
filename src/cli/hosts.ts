import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { callApi, ApiError } from '../api/client.ts';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';

type Options = { json?: boolean; socket?: string };

/** What `groundswell agent --show-key` prints on a host. */
const KeyCard = z.strictObject({
  hostId: z.string(),
  machineId: z.string(),
  publicKey: z.string(),
});

/** `3`, or `default`: what the configuration says for every host. */
export const readCap = (text: string): number | 'default' => {
  if (text === 'default') return text;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Want a whole number of at least 1, or default.');
};

/** The card in the file at `path`, which must be that host's: no host is believed by another one's key. */
const readKeyCard = async (path: string, hostId: string): Promise<z.infer<typeof KeyCard>> => {
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

/** `host add|exclude|revoke|remove|rotate-key`: who may speak as a host. */
export const registerHosts = (program: Command, deps: CliDependencies): void => {
  const host = program.command('host').description('enrol, exclude, revoke and remove hosts');
  withRemoteOptions(
    host.command('add').argument('<id>').description('enrol a host, or take an excluded one back'),
  )
    .option('--zone <zone>', 'failure domain: rack, data centre; of a new host: default')
    .option('--cap <n>', "restarts at once on this host; default: the fleet's cap again", readCap)
    .option(
      '--key <file>',
      'what `groundswell agent --show-key` printed on the host; not needed where it is enrolled already',
    )
    .action(
      async (
        hostId: string,
        options: Options & { zone?: string; cap?: number | 'default'; key?: string },
      ) => {
        const remote = remoteFor(deps, options);
        if (options.key !== undefined) {
          const card = await readKeyCard(options.key, hostId);
          await callApi(remote.socketPath, 'POST', '/v1/keys', {
            actor: deps.actor,
            hostId,
            change: { kind: 'enrol', machineId: card.machineId, publicKey: card.publicKey },
          });
        }
        await actAndTell(remote, {
          action: 'host-add',
          hostId,
          zone: options.zone ?? null,
          cap: options.cap ?? null,
        });
      },
    );
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
