import type { Command } from 'commander';
import { productStreams } from '../../../core/advisories/channels-of.ts';
import { createHostFindings } from '../../../core/advisories/host-findings.ts';
import { indexInventory, platformOf } from '../../../core/advisories/index-inventory.ts';
import type { HostPlace, IndexedInventory } from '../../../core/advisories/index-inventory.ts';
import type { Inventory } from '../../../core/advisories/inventory.ts';
import { rpmListFormat } from '../../../core/advisories/parse-rpm-list.ts';
import type { AdvisorySource, FeedFile } from '../../../producers/advisories/feed-file.ts';
import type { FetchedOnce } from '../../../producers/advisories/fetch/fetch-once.ts';
import type { FeedAddress } from '../../../producers/advisories/fetch/fetcher.ts';
import { terminalWidth } from '../../print.ts';
import { problemText } from '../../problem-text.ts';
import { matchText, notesOf } from './match-text.ts';
import { readFeeds } from './read-feeds.ts';
import type { NamedFeed } from './read-feeds.ts';
import { readInventory } from './read-inventory.ts';

export interface MatchDependencies {
  /** Every kind of feed; what does not tell whom it is for is for this platform. With keyrings, only what they have signed counts. */
  sources: (
    platform: { distro: string; release: string } | null,
    keyrings?: readonly string[],
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
  kernel?: string;
  channel?: string[];
  json?: boolean;
  verbose?: boolean;
}

const isAddress = (from: string): boolean => /^https?:\/\//i.test(from);
const isOtherAddress = (from: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(from) && !isAddress(from);

const collect = (one: string, all: string[] = []): string[] => [...all, one];

/** `osv=/srv/mirror/all.zip`. Throws where it is not `<source>=<path or address>`, or there is no such source. */
const feedOf = (text: string, sources: ReadonlyMap<string, AdvisorySource>): NamedFeed => {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(0, at));
  const source = sources.get(name);
  if (at < 0 || source === undefined || at === text.length - 1)
    throw new Error(
      `--feed ${text}: want <source>=<path>, where the source is one of ${[...sources.keys()].join(', ')}`,
    );
  const path = text.slice(at + 1);
  if (isOtherAddress(path))
    throw new Error(`--feed ${text}: of addresses, http and https are understood`);
  return { source, path };
};

/** What should be known of a host, and is not. */
const lacks = ({ release, channels }: HostPlace): string[] => {
  // What goes on after the end of a release is of all of it.
  const streams = [...channels].filter((one) => productStreams.has(one) && one !== 'els');
  return streams.length === 0 || release.includes('.')
    ? []
    : [
        `${streams.join(', ')}: a product stream goes on with a minor release, and neither --platform nor a package tells which\n`,
      ];
};

const namedAtMost = 5;

/** What is passed over that might be taken for the distribution's by its name. */
const passedOver = ({ ofOthers }: IndexedInventory, platform: string): string[] => {
  const names = [
    ...new Set(ofOthers.map(({ name, repository }) => `${name} (${repository ?? ''})`)),
  ];
  const more = names.length - namedAtMost;
  return names.length === 0
    ? []
    : [
        `passed over, for they come from other repositories than those of ${platform}: ${names.slice(0, namedAtMost).join(', ')}${more > 0 ? ` and ${more} more` : ''}\n`,
      ];
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
      "whose keys sign a suite; else this machine's, and one that lies here is taken as it is",
      collect,
    )
    .option(
      '-v, --verbose',
      'list also what is fixed already, and everything that could not be read',
    )
    .option('--kernel <release>', 'the kernel that runs there, as `uname -r` says it')
    .option(
      '--channel <name>',
      'what the host is attached to beside its own repositories: esm-infra, epel',
      collect,
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
        platform: named,
        inventory: path,
        feed,
        keyring,
        kernel,
        channel = [],
        json = false,
        verbose = false,
      }: Options) => {
        const platform = named.toLowerCase();
        const place = platformOf(platform);
        if (place === null)
          throw new Error(
            `--platform ${named}: want os-release's ID and VERSION_ID, such as debian-12 or almalinux-9`,
          );
        const sources = deps.sources(place, keyring);
        const feeds = feed.map((one) => feedOf(one, sources));
        const { inventory: read, warnings } = await readInventory(path, platform);
        for (const text of warnings) deps.warn(`${text}\n`);
        const inventory: Inventory = {
          ...read,
          ...(kernel === undefined ? {} : { kernel }),
          channels: [...(read.channels ?? []), ...channel],
        };
        const host = indexInventory(inventory);
        for (const text of [...lacks(host), ...passedOver(host, platform)]) deps.warn(text);
        const found = createHostFindings(host);
        const architectures = [...new Set(inventory.packages.map(({ arch }) => arch))].filter(
          (arch) => arch !== 'all',
        );
        const beside = { architectures, ...(keyring === undefined ? {} : { keyring }) };
        const { failures, empty, ...told } = await readFeeds(feeds, host, found, {
          open: deps.open,
          fetch: async ({ source, path: url }) =>
            isAddress(url) ? await deps.fetch(source.name, { url, ...beside }) : null,
        });
        for (const text of empty) deps.warn(`${text}\n`);
        const failed = failures.length === 0 ? null : new Error(failures.join('; '));
        // Where nothing could be read, there is nothing to say of the host.
        if (failed !== null && failures.length === feeds.length) throw failed;
        if (json) for (const text of notesOf(platform, told)) deps.warn(`${text}\n`);
        const findings = found.standing();
        const packages = inventory.packages.length;
        const report = { platform, packages, findings, ...told };
        deps.write(
          json
            ? `${JSON.stringify(findings, null, 2)}\n`
            : `${matchText(report, { verbose, width: terminalWidth() })}\n`,
        );
        if (json || verbose)
          for (const problem of told.problems) deps.warn(`${problemText(problem)}\n`);
        if (failed !== null) throw failed;
      },
    );
};
