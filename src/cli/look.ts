import type { Command } from 'commander';
import type { QueueCounts } from '../core/coordinator/api-rows.ts';
import { formatTable } from './print.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';

type Options = { json?: boolean; socket?: string };

/** `queues`. */
export const registerLook = (program: Command, deps: CliDependencies): void => {
  withRemoteOptions(
    program
      .command('queues')
      .summary('jobs in the queues to the hosts, and from them')
      .description(
        'per queue: waiting, active, failed, paused (counts of Redis, for people; grants are the truth)',
      ),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/queues')) as QueueCounts[], (queues) =>
      formatTable(
        ['queue', 'waiting', 'active', 'delayed', 'failed', 'completed', 'paused'],
        queues.map(({ name, waiting, active, delayed, failed, completed, paused }) => [
          name,
          String(waiting),
          String(active),
          String(delayed),
          String(failed),
          String(completed),
          paused ? 'yes' : 'no',
        ]),
      ),
    );
  });
};
