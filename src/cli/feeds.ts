import type { Command } from 'commander';
import { callApi } from '../api/client.ts';
import type { FeedView } from '../core/advisories/advisory-views.ts';
import { countOf, formatDuration, formatTable, tint } from './print.ts';
import { problemText } from './problem-text.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';

type Options = { json?: boolean; socket?: string };

const ago = (at: number | null, now: number): string =>
  at === null ? 'never' : `${formatDuration(now - at)} ago`;

const stateOf = ({ silent, held, error, lastSuccess, notFetched }: FeedView): string =>
  notFetched !== null
    ? 'not fetched'
    : held !== null
      ? 'held back'
      : silent
        ? 'silent'
        : error !== null
          ? 'failed'
          : lastSuccess === null
            ? 'waiting'
            : 'ok';

/** So many records that could not be used are shown without asking for all. */
const shownProblems = 3;

const problemLines = ({ name, problemCount, problems }: FeedView, all: boolean): string[] => {
  if (problemCount === 0) return [];
  const shown = problems.slice(0, all ? problems.length : shownProblems);
  const lines = shown.map((problem) => `  ${problemText(problem)}`);
  const more = problemCount - shown.length;
  return [
    `${name}: ${countOf(problemCount, 'record')} could not be used:`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
};

/** How each feed is doing, for a terminal. */
export const feedsText = (feeds: readonly FeedView[], all: boolean, now: number): string => {
  if (feeds.length === 0)
    return 'no feeds are configured: name some under `feeds` in /etc/groundswell/config.yaml';
  const table = formatTable(
    ['feed', 'state', 'last success', 'records', 'changed', 'errors', 'next', 'notes'],
    feeds.map((feed) => [
      feed.name,
      tint(stateOf(feed)),
      ago(feed.lastSuccess, now),
      String(feed.records),
      feed.lastChange === null
        ? ''
        : `${feed.changed + feed.withdrawn} (${ago(feed.lastChange, now)})`,
      String(feed.problemCount),
      feed.notFetched !== null
        ? ''
        : feed.nextPoll <= now
          ? 'now'
          : `in ${formatDuration(feed.nextPoll - now)}`,
      [
        feed.error ?? '',
        // Where all is well nobody asks why it is polled.
        stateOf(feed) === 'ok' ? '' : (feed.namedBy ?? ''),
        feed.notFetched ?? '',
        feed.withdrawn === 0 ? '' : `${feed.withdrawn} taken back`,
        feed.older === 0 ? '' : `${feed.older} older than what is known`,
      ]
        .filter((note) => note !== '')
        .join('; '),
    ]),
  );
  const problems = feeds.flatMap((feed) => problemLines(feed, all));
  return [table, ...(problems.length === 0 ? [] : ['', ...problems])].join('\n');
};

const change = async (
  deps: CliDependencies,
  remote: Remote,
  name: string,
  what: 'poll' | 'accept',
): Promise<void> => {
  const body = { actor: deps.actor, change: what };
  const path = `/v1/feeds/${encodeURIComponent(name)}`;
  const answer = (await callApi(remote.socketPath, 'POST', path, body)) as { text: string };
  remote.show(answer, ({ text }) => text);
};

/** `feeds`: where advisories come from, and how that goes. */
export const registerFeeds = (program: Command, deps: CliDependencies): void => {
  const feeds = withRemoteOptions(
    program.command('feeds').description('where advisories come from, and how each feed is doing'),
  )
    .option('-v, --verbose', 'every record that could not be used, as far as they are kept')
    .action(async (options: Options & { verbose?: boolean }) => {
      const remote = remoteFor(deps, options);
      remote.show((await remote.get('/v1/feeds')) as FeedView[], (shown) =>
        feedsText(shown, options.verbose === true, Date.now()),
      );
    });
  withRemoteOptions(
    feeds.command('poll').argument('<feed>').description('ask a feed now, before its time'),
  ).action(async (name: string, _: Options, command: Command) =>
    change(deps, remoteFor(deps, command.optsWithGlobals<Options>()), name, 'poll'),
  );
  withRemoteOptions(
    feeds
      .command('accept')
      .argument('<feed>')
      .description('take what a feed holds back because most of its records are gone'),
  ).action(async (name: string, _: Options, command: Command) =>
    change(deps, remoteFor(deps, command.optsWithGlobals<Options>()), name, 'accept'),
  );
};
