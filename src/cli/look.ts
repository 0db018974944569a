import type { Command } from 'commander';
import type { AuditRow, QueueCounts } from '../core/coordinator/api-rows.ts';
import { formatTable } from './print.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';
import { waveCalled } from './wave-called.ts';

type Options = { json?: boolean; socket?: string };

const text = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : JSON.stringify(value);

/** One audit record a line: when, who, what, whom, outcome, why. */
export const auditLine = ({ chain, seq, record }: AuditRow): string[] => {
  const details = record['details'] as Record<string, unknown> | undefined;
  return [
    text(record['at']),
    `${chain}#${seq}`,
    text(record['actor']),
    text(record['action']),
    text(record['subject'] ?? record['container']),
    text(record['outcome']),
    text(details?.['reason'] ?? details?.['why'] ?? details?.['summary']),
  ];
};

/** `queues` and `audit list`. */
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
  const audit = program.command('audit').description('the audit trail');
  withRemoteOptions(audit.command('list').description('list audit records, oldest first'))
    .option('--container <host/name>')
    .option('--service <name>')
    .option('--wave <id>')
    .option('--actor <who>')
    .option('--limit <n>', 'newest n records', '100')
    .action(
      async (
        options: Options & {
          container?: string;
          service?: string;
          wave?: string;
          actor?: string;
          limit: string;
        },
      ) => {
        const remote = remoteFor(deps, options);
        const query = new URLSearchParams({ limit: options.limit });
        for (const key of ['container', 'service', 'actor'] as const)
          if (options[key] !== undefined) query.set(key, options[key]);
        if (options.wave !== undefined) query.set('wave', await waveCalled(remote, options.wave));
        remote.show((await remote.get(`/v1/audit?${query.toString()}`)) as AuditRow[], (rows) =>
          rows.length === 0
            ? 'no records'
            : formatTable(
                ['at', 'record', 'actor', 'action', 'subject', 'outcome', 'why'],
                rows
                  .map(auditLine)
                  .map(([at = '', ...rest]) => [
                    deps.interactive ? at.replace(/\.\d+Z$/, 'Z') : at,
                    ...rest,
                  ]),
              ),
        );
      },
    );
};
