import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { downloadApi } from '../api/client.ts';
import type { AuditRow } from '../core/coordinator/api-rows.ts';
import { auditHeadings, auditLine, auditTable } from './audit-text.ts';
import { containerCalled } from './container-called.ts';
import { nextChange } from './next-change.ts';
import { formatTable } from './print.ts';
import { readPast } from './read-time.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';
import type { ContainerLine } from './views.ts';
import { waveCalled } from './wave-called.ts';

type Options = { json?: boolean; socket?: string };

interface ListOptions extends Options {
  container?: string;
  service?: string;
  wave?: string;
  actor?: string;
  outcome?: string;
  since?: string;
  until?: string;
  limit: string;
  follow?: boolean;
}

/** As its records name it. One that is there no more is known by its whole name alone. */
const recordedAs = async (remote: Remote, what: string): Promise<string> =>
  what.includes('/')
    ? what
    : containerCalled((await remote.get('/v1/containers')) as ContainerLine[], what).container;

const readLimit = (limit: string): string => {
  if (/^[1-9]\d{0,3}$/.test(limit) || limit === '10000') return limit;
  throw new InvalidArgumentError('Want a number from 1 to 10000.');
};

const queryOf = async (remote: Remote, options: ListOptions): Promise<URLSearchParams> => {
  const query = new URLSearchParams();
  const { container } = options;
  if (container !== undefined) query.set('container', await recordedAs(remote, container));
  for (const key of ['service', 'actor', 'outcome', 'since', 'until'] as const)
    if (options[key] !== undefined) query.set(key, options[key]);
  if (options.wave !== undefined) query.set('wave', await waveCalled(remote, options.wave));
  return query;
};

const rowsOf = async (remote: Remote, query: URLSearchParams): Promise<AuditRow[]> =>
  (await remote.get(`/v1/audit?${query.toString()}`)) as AuditRow[];

/** Each new record as it comes, one a line, until somebody ends it. */
const follow = async (remote: Remote, query: URLSearchParams, last: number): Promise<never> => {
  query.set('limit', '10000');
  let after = last;
  for (;;) {
    query.set('after', String(after));
    for (const row of await rowsOf(remote, query)) {
      remote.line(remote.json ? JSON.stringify(row) : auditLine(row).join('  ').trimEnd());
      after = row.position;
    }
    await nextChange(remote.socketPath, 2_000);
  }
};

const list =
  (deps: CliDependencies) =>
  async (options: ListOptions): Promise<void> => {
    const remote = remoteFor(deps, options);
    const query = await queryOf(remote, options);
    query.set('limit', options.limit);
    const rows = await rowsOf(remote, query);
    if (options.follow === true) {
      for (const row of rows)
        remote.line(remote.json ? JSON.stringify(row) : auditLine(row).join('  ').trimEnd());
      await follow(remote, query, rows.at(-1)?.position ?? 0);
    }
    remote.show(rows, () =>
      rows.length === 0
        ? 'no records'
        : deps.interactive
          ? auditTable(rows.map(auditLine))
          : formatTable(auditHeadings, rows.map(auditLine)),
    );
  };

/** Write the whole trail to a file, which is there only once it is whole. */
const exportTo = async (remote: Remote, path: string): Promise<void> => {
  const bytes = await downloadApi(remote.socketPath, '/v1/audit/bundle');
  const partial = `${path}.partial`;
  try {
    const to = createWriteStream(partial, { mode: 0o600 });
    if (path.endsWith('.gz')) await pipeline(bytes, to);
    else await pipeline(bytes, createGunzip(), to);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
};

interface KeyLine {
  id: string;
  publicKey: string;
  since: number;
}

/** `audit list`, `audit export` and `audit keys`; `audit verify` needs no server, and is added elsewhere. */
export const registerAudit = (program: Command, deps: CliDependencies): void => {
  const audit = program.command('audit').description('the audit trail');
  withRemoteOptions(audit.command('list').description('list audit records, oldest first'))
    .option('--container <name>', 'host/name, or the name alone')
    .option('--service <name>')
    .option('--wave <id>')
    .option('--actor <who>')
    .option('--outcome <what>', 'done, failed, void, …')
    .option('--since <when>', 'a date, or how long ago (30m, 2h, 7d)', readPast)
    .option('--until <when>', 'the same', readPast)
    .option('--limit <n>', 'newest n records', readLimit, '100')
    .option('-f, --follow', 'go on with each new record')
    .action(list(deps));
  withRemoteOptions(
    audit
      .command('export')
      .description('write the whole trail to a file, for `audit verify`')
      .argument('<file>', 'compressed with gzip where it ends in .gz'),
  ).action(async (file: string, options: Options) => {
    const remote = remoteFor(deps, options);
    await exportTo(remote, file);
    remote.show(
      { file },
      () =>
        `${file} is written; check it with: groundswell audit verify ${file} --key KEYS (from: groundswell audit keys)`,
    );
  });
  withRemoteOptions(
    audit
      .command('keys')
      .description('the keys that have signed the trail, for `audit verify --key`'),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/audit/keys')) as KeyLine[], (keys) =>
      keys
        .map(
          ({ id, publicKey, since }) =>
            `${publicKey} # ${id}, since ${new Date(since).toISOString()}`,
        )
        .join('\n'),
    );
  });
};
