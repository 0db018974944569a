import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { AuditRow, QueueCounts } from '../core/coordinator/api-rows.ts';
import { containerCalled } from './container-called.ts';
import { formatTable } from './print.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';
import type { ContainerLine } from './views.ts';
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

const auditHeadings = ['at', 'record', 'actor', 'action', 'subject', 'outcome', 'why'];

/** For a terminal: to the second, the day in the heading where there is but one, outcome and why together. */
const auditTable = (lines: string[][]): string => {
  const days = new Set(lines.map(([at = '']) => at.slice(0, 10)));
  const [day = 'at'] = days;
  return formatTable(
    [days.size === 1 ? day : 'at', ...auditHeadings.slice(1, -1)],
    lines.map(([at = '', record = '', actor = '', action = '', subject = '', ...rest]) => [
      days.size === 1 ? at.slice(11, 19) : at.slice(0, 19).replace('T', ' '),
      ...[record, actor, action, subject],
      rest.filter((each) => each !== '').join(': '),
    ]),
  );
};

/** As its records name it. One that is there no more is known by its whole name alone. */
const recordedAs = async (remote: Remote, what: string): Promise<string> =>
  what.includes('/')
    ? what
    : containerCalled((await remote.get('/v1/containers')) as ContainerLine[], what).container;

const readLimit = (limit: string): string => {
  if (/^[1-9]\d{0,3}$/.test(limit) || limit === '10000') return limit;
  throw new InvalidArgumentError('Want a number from 1 to 10000.');
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
    .option('--container <name>', 'host/name, or the name alone')
    .option('--service <name>')
    .option('--wave <id>')
    .option('--actor <who>')
    .option('--limit <n>', 'newest n records', readLimit, '100')
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
        const { container } = options;
        if (container !== undefined) query.set('container', await recordedAs(remote, container));
        for (const key of ['service', 'actor'] as const)
          if (options[key] !== undefined) query.set(key, options[key]);
        if (options.wave !== undefined) query.set('wave', await waveCalled(remote, options.wave));
        remote.show((await remote.get(`/v1/audit?${query.toString()}`)) as AuditRow[], (rows) =>
          rows.length === 0
            ? 'no records'
            : deps.interactive
              ? auditTable(rows.map(auditLine))
              : formatTable(auditHeadings, rows.map(auditLine)),
        );
      },
    );
};
