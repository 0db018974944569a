import type { Command } from 'commander';
import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import { indexInventory, platformOf } from '../../../core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../core/advisories/match.ts';
import type { Finding } from '../../../core/advisories/match.ts';
import { mergeFindings } from '../../../core/advisories/merge-findings.ts';
import { rpmListFormat } from '../../../core/advisories/parse-rpm-list.ts';
import { FeedError } from '../../../producers/advisories/feed-error.ts';
import type { AdvisorySource, FeedFile } from '../../../producers/advisories/feed-file.ts';
import type { FetchedOnce } from '../../../producers/advisories/fetch/fetch-once.ts';
import type { FeedAddress } from '../../../producers/advisories/fetch/fetcher.ts';
import { terminalWidth } from '../../print.ts';
import { matchText, problemText } from './match-text.ts';
import { readInventory } from './read-inventory.ts';

export interface MatchDependencies {
  /** Every kind of feed; what does not tell whom it is for is for this platform. */
  sources: (
    platform: { distro: string; release: string } | null,
  ) => ReadonlyMap<string, AdvisorySource>;
  /** The files of a feed at a path. */
  open: (path: string) => AsyncIterable<FeedFile>;
  /** Fetches a feed, for this once. Throws where it does not come as a whole. */
  fetch: (source: string, address: FeedAddress) => Promise<FetchedOnce>;
  write: (text: string) => void;
  /** For what could not be read of the feeds. */
  warn: (text: string) => void;
}

interface Options {
  platform: string;
  inventory: string;
  feed: string[];
  keyring?: string[];
  json?: boolean;
  verbose?: boolean;
}

const isAddress = (from: string): boolean => /^https?:\/\//i.test(from);

const collect = (one: string, all: string[] = []): string[] => [...all, one];

/** `osv=/srv/mirror/all.zip`. Throws where it is not `<source>=<path or address>`, or there is no such source. */
const feedOf = (
  text: string,
  sources: ReadonlyMap<string, AdvisorySource>,
): { source: AdvisorySource; path: string } => {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(0, at));
  const source = sources.get(name);
  if (at < 0 || source === undefined || at === text.length - 1)
    throw new Error(
      `--feed ${text}: want <source>=<path>, where the source is one of ${[...sources.keys()].join(', ')}`,
    );
  return { source, path: text.slice(at + 1) };
};

/** `groundswell match`: which advisories apply to a list of packages, without a server. */
export const registerMatch = (program: Command, deps: MatchDependencies): void => {
  const names = [...deps.sources(null).keys()].join(', ');
  program
    .command('match')
    .description('tell which advisories apply to the packages of a host, without a server')
    .requiredOption('--platform <id>', "os-release's ID and VERSION_ID: debian-12, almalinux-9")
    .requiredOption('--inventory <file>', 'what is installed: see below')
    .requiredOption(
      '--feed <source=path>',
      'a file, archive, directory or URL of advisories',
      collect,
    )
    .option(
      '--keyring <file>',
      "whose keys sign a suite that is fetched; else this machine's",
      collect,
    )
    .option(
      '-v, --verbose',
      'list also what is fixed already, and everything that could not be read',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The inventory is dpkg's status file (/var/lib/dpkg/status), the JSON of "groundswell inventory", or what this writes:
  rpm -qa --queryformat '${rpmListFormat}'
Sources: ${names}. Name --feed as often as there are feeds.
A URL is fetched anew each time, through the proxy that http_proxy, https_proxy and no_proxy name.`,
    )
    .action(
      async ({
        platform,
        inventory: path,
        feed,
        keyring,
        json = false,
        verbose = false,
      }: Options) => {
        const place = platformOf(platform);
        if (place === null)
          throw new Error(
            `--platform ${platform}: want os-release's ID and VERSION_ID, such as debian-12 or almalinux-9`,
          );
        const sources = deps.sources(place);
        const feeds = feed.map((one) => feedOf(one, sources));
        const inventory = await readInventory(path, platform);
        const host = indexInventory(inventory);
        const all: Finding[] = [];
        const problems: FeedProblem[] = [];
        let advisories = 0;
        const architectures = [...new Set(inventory.packages.map(({ arch }) => arch))].filter(
          (arch) => arch !== 'all',
        );
        const beside = { architectures, ...(keyring === undefined ? {} : { keyring }) };
        for (const { source, path: from } of feeds) {
          const fetched = isAddress(from)
            ? await deps.fetch(source.name, { url: from, ...beside })
            : null;
          problems.push(...(fetched?.problems ?? []));
          try {
            for await (const record of source.parse(deps.open(fetched?.directory ?? from)))
              if (record.kind === 'problem') problems.push(record.problem);
              else {
                advisories += 1;
                all.push(...matchAdvisory(record.advisory, host));
              }
          } catch (error) {
            // A damaged archive: what could be read of it before counts all the same.
            if (!(error instanceof FeedError)) throw error;
            const { file, reason } = error;
            problems.push({ file, record: '', field: '', reason });
          } finally {
            await fetched?.remove();
          }
        }
        if (advisories === 0)
          throw new Error(
            `no advisory was found in ${feeds.map(({ path: from }) => from).join(', ')}${problems.length === 0 ? '' : `: ${problemText(problems[0])}`}`,
          );
        const findings = mergeFindings(all);
        const packages = inventory.packages.length;
        const report = { platform, packages, advisories, findings, problems };
        deps.write(
          json
            ? `${JSON.stringify(findings, null, 2)}\n`
            : `${matchText(report, { verbose, width: terminalWidth() })}\n`,
        );
        if (json || verbose) for (const problem of problems) deps.warn(`${problemText(problem)}\n`);
      },
    );
};
