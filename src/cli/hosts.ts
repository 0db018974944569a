import type { Command } from 'commander';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';
import { callApi, ApiError } from '../api/client.ts';

type Options = { json?: boolean; socket?: string };

/** `host add|exclude|revoke|rotate-key`: who may speak as a host. */
export const registerHosts = (program: Command, deps: CliDependencies): void => {
  const host = program.command('host').description('enrol, exclude and revoke hosts');
  withRemoteOptions(
    host.command('add').argument('<id>').description('enrol a host, or take an excluded one back'),
  )
    .option('--zone <zone>', 'failure domain: rack, data centre', 'default')
    .option('--cap <n>', 'restarts at once on this host')
    .option(
      '--public-key <pem-file>',
      "the agent's public key, as `groundswell agent --show-key` prints it; not needed where the host is enrolled already",
    )
    .action(
      async (
        hostId: string,
        options: Options & { zone: string; cap?: string; publicKey?: string },
      ) => {
        const remote = remoteFor(deps, options);
        const cap = options.cap === undefined ? null : Number(options.cap);
        if (cap !== null && (!Number.isInteger(cap) || cap < 1))
          throw new ApiError('--cap wants a whole number of at least 1', null);
        if (options.publicKey !== undefined)
          await callApi(remote.socketPath, 'POST', '/v1/keys', {
            actor: deps.actor,
            hostId,
            change: { kind: 'add', path: options.publicKey },
          });
        await actAndTell(remote, { action: 'host-add', hostId, zone: options.zone, cap });
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
  for (const [name, text] of [
    ['revoke', 'believe none of its keys any more'],
    ['rotate-key', 'let the host bring a second key; the older one ends with the next rotation'],
  ] as const)
    withRemoteOptions(host.command(name).argument('<id>').description(text))
      .option('--public-key <pem-file>', 'the new public key, for rotate-key')
      .action(async (hostId: string, options: Options & { publicKey?: string }) => {
        const remote = remoteFor(deps, options);
        if (name === 'rotate-key' && options.publicKey === undefined)
          throw new ApiError('rotate-key wants --public-key <pem-file>', null);
        const change =
          name === 'revoke' ? { kind: 'revoke' } : { kind: 'add', path: options.publicKey };
        remote.show(
          (await callApi(remote.socketPath, 'POST', '/v1/keys', {
            actor: deps.actor,
            hostId,
            change,
          })) as { text: string },
          (answer) => answer.text,
        );
      });
};
