import { wrapIndented } from '../src/cli/fit.ts';
import { countOf, formatTable, terminalWidth } from '../src/cli/print.ts';
import { staleProcessLines } from '../src/cli/stale-processes.ts';
import type { HostView } from '../src/cli/views.ts';
import type { AdvisoryLine, FeedView } from '../src/core/advisories/advisory-views.ts';
import type { Distribution } from '../test/bed/apt-sources.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waitUntil } from '../test/bed/wait-until.ts';
import { differences } from './pending.ts';
import type { PendingPackage } from './pending.ts';
import { answerNow, installedVersions, numbered, pendingSecurity } from './real-host.ts';
import type { Update, Write } from './story.ts';

const feedsMs = 30_000;
const matchMs = 20_000;

/** What is asked of a scene: of its server, and of its host. */
type Asked = Pick<Scene, 'get'> & { host: Pick<Scene['host'], 'must'> };

/** What Groundswell knows of advisories. */
interface Known {
  /** Their numbers, by package. */
  numbers: ReadonlyMap<string, readonly string[]>;
  /** What is to be said of where they come from, and why some are not known. */
  notes: string[];
}

/** Waits until every feed has answered in some way, but not for ever. */
const feedsOver = async (scene: Asked): Promise<FeedView[]> => {
  const now = async (): Promise<FeedView[]> => (await scene.get('/v1/feeds')) as FeedView[];
  const isOver = ({ lastSuccess, error, notFetched }: FeedView): boolean =>
    lastSuccess !== null || (error !== null && notFetched === null);
  return waitUntil(
    'the feeds have answered',
    async () => {
      const feeds = await now();
      return feeds.every(isOver) ? feeds : null;
    },
    { deadlineMs: feedsMs, everyMs: 200 },
  ).catch(now);
};

/** A feed of the suite itself, which the host names to its server, tells what there is; a list of the distributor, the numbers. */
const knownAdvisories = async (
  scene: Asked,
  { id, security }: Distribution,
  pending: readonly PendingPackage[],
): Promise<Known> => {
  const lists: readonly string[] = numbered[id];
  const feeds = await feedsOver(scene);
  const now = async (): Promise<AdvisoryLine[]> =>
    (await scene.get('/v1/advisories')) as AdvisoryLine[];
  // A feed's advisories are matched one after another.
  const isThere = feeds.some(
    ({ namedBy, lastSuccess }) => namedBy !== null && lastSuccess !== null,
  );
  const lines = isThere
    ? await waitUntil(
        'every update is known by its advisory',
        async () => {
          const found = await now();
          const concerned = new Set(found.flatMap(({ packages }) => packages));
          return pending.every(({ name }) => concerned.has(name)) ? found : null;
        },
        { deadlineMs: matchMs, everyMs: 100 },
      ).catch(now)
    : await now();
  const numbers = new Map<string, string[]>();
  for (const line of lines.filter(({ feed }) => lists.includes(feed)))
    for (const name of line.packages) numbers.set(name, [...(numbers.get(name) ?? []), line.id]);
  const unknown = (name: string, error: string | null): string =>
    `feed ${name} has not answered: ${error ?? 'not yet'}`;
  const notes = feeds.map(({ name, place, records, lastSuccess, error, namedBy }) => {
    if (lastSuccess === null) return unknown(name, error);
    const here = lines.filter(({ feed }) => feed === name).length;
    const by = namedBy !== null && place.startsWith(security) ? `, ${namedBy},` : '';
    return `feed ${name}${by} has ${countOf(records, 'record')}; ${here} concerned this host`;
  });
  return { numbers, notes };
};

/** The security updates that the real mirror has for the host. */
export const realUpdate = (scene: Asked, distribution: Distribution, write: Write): Update => {
  const { host } = scene;
  const { codename, security } = distribution;
  let pending: PendingPackage[] = [];
  let before: ReadonlyMap<string, string> = new Map();
  let known: Known = { numbers: new Map(), notes: [] };
  return {
    ...{ words: '', order: { mode: 'security', packages: [] } },
    ...{ old: 'old code', called: '', connections: 4 },
    publish: async () => {
      pending = await pendingSecurity(host);
      if (pending.length === 0) {
        write(
          `\nNothing to do: ${codename}-security at ${security}\nhas no update for what this host has installed. Another day it will; meanwhile there is the demo\nlibrary: npm run quickstart`,
        );
        return false;
      }
      before = await installedVersions(host);
      known = await knownAdvisories(scene, distribution, pending);
      write(
        `\n${codename}-security at ${security} has ${countOf(pending.length, 'update')} for this host.`,
      );
      return true;
    },
    fixed: () => answerNow(host),
    tellMore: async () => {
      const { missing, others } = differences(pending, before, await installedVersions(host));
      write(
        `\nUpgraded, ${countOf(pending.length, 'package')}${others.length === 0 ? ', and no other' : ''}:`,
      );
      const some = known.numbers.size > 0;
      const rows = pending.map(({ name, from, to }) => [
        ...[name, from, to],
        ...(some ? [(known.numbers.get(name) ?? []).join(' ')] : []),
      ]);
      write(formatTable(['package', 'from', 'to', ...(some ? ['advisory'] : [])], rows));
      for (const note of known.notes) write(wrapIndented(`(${note})`, terminalWidth(), '', ' '));
      if (others.length > 0) write(`With them: ${others.join('; ')}`);
      const [view] = (await scene.get('/v1/hosts')) as HostView[];
      const own = view === undefined ? [] : staleProcessLines(view);
      if (own.length > 0) write(['', ...own].join('\n'));
      if (missing.length > 0) throw new Error(`not as promised: ${missing.join('; ')}`);
    },
  };
};
