import type { Command } from 'commander';
import type { Advisory, FeedProblem } from '../../../core/advisories/advisory.ts';
import { productStreams } from '../../../core/advisories/channels-of.ts';
import { createHostFindings } from '../../../core/advisories/host-findings.ts';
import { indexInventory, platformOf } from '../../../core/advisories/index-inventory.ts';
import type { HostPlace } from '../../../core/advisories/index-inventory.ts';
import { rpmListFormat } from '../../../core/advisories/parse-rpm-list.ts';
import { isRelease } from '../../../core/advisories/release-of.ts';
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
  kernel?: string;
  json?: boolean;
  verbose?: boolean;
}

const isAddress = (from: string): boolean => /^https?:\/\//i.test(from);
const isOtherAddress = (from: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(from) && !isAddress(from);

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
  const path = text.slice(at + 1);
  if (isOtherAddress(path))
    throw new Error(`--feed ${text}: of addresses, http and https are understood`);
  return { source, path };
};

/** Whether an advisory says anything of the release of a host. */
const isAbout = ({ affected }: Advisory, { distro, release }: HostPlace): boolean =>
  affected.some(
    (row) =>
      row.distro === distro && (isRelease(row.release, release) || isRelease(release, row.release)),
  );

/** What should be known of a host, and is not. */
const lacks = ({ release, channels }: HostPlace): string[] => {
  const streams = [...channels].filter((one) => productStreams.has(one));
  return streams.length === 0 || release.includes('.')
    ? []
    : [
        `${streams.join(', ')}: a product stream goes on with a minor release, and neither --platform nor a package tells which\n`,
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
      "whose keys sign a suite that is fetched; else this machine's",
      collect,
    )
    .option(
      '-v, --verbose',
      'list also what is fixed already, and everything that could not be read',
    )
    .option('--kernel <release>', 'the kernel that runs there, as `uname -r` says it')
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
        json = false,
        verbose = false,
      }: Options) => {
        const platform = named.toLowerCase();
        const place = platformOf(platform);
        if (place === null)
          throw new Error(
            `--platform ${named}: want os-release's ID and VERSION_ID, such as debian-12 or almalinux-9`,
          );
        const sources = deps.sources(place);
        const feeds = feed.map((one) => feedOf(one, sources));
        const read = await readInventory(path, platform);
        const inventory = kernel === undefined ? read : { ...read, kernel };
        const host = indexInventory(inventory);
        for (const text of lacks(host)) deps.warn(text);
        const found = createHostFindings(host);
        const problems: FeedProblem[] = [];
        let [advisories, concerning] = [0, 0];
        const architectures = [...new Set(inventory.packages.map(({ arch }) => arch))].filter(
          (arch) => arch !== 'all',
        );
        const beside = { architectures, ...(keyring === undefined ? {} : { keyring }) };
        for (const { source, path: from } of feeds) {
          const fetched = isAddress(from)
            ? await deps.fetch(source.name, { url: from, ...beside })
            : null;
          const [before, first] = [advisories, problems.length];
          problems.push(...(fetched?.problems ?? []));
          try {
            for await (const record of source.parse(deps.open(fetched?.directory ?? from)))
              if (record.kind === 'problem') problems.push(record.problem);
              else {
                advisories += 1;
                if (isAbout(record.advisory, host)) concerning += 1;
                found.take(record.advisory);
              }
          } catch (error) {
            // A damaged archive: what could be read of it before counts all the same.
            if (!(error instanceof FeedError)) throw error;
            const { file, reason } = error;
            problems.push({ file, record: '', field: '', reason });
          } finally {
            await fetched?.remove();
          }
          if (advisories > before) continue;
          // An empty feed says that there is nothing; one that cannot be read says nothing.
          const nothing = `no advisory was found in ${from}`;
          if (problems.length > first)
            throw new Error(`${nothing}: ${problemText(problems[first])}`);
          deps.warn(`${nothing}\n`);
        }
        if (json && advisories > 0 && concerning === 0)
          deps.warn(`none of ${advisories} advisories is for ${platform}\n`);
        const findings = found.standing();
        const packages = inventory.packages.length;
        const report = { platform, packages, advisories, concerning, findings, problems };
        deps.write(
          json
            ? `${JSON.stringify(findings, null, 2)}\n`
            : `${matchText(report, { verbose, width: terminalWidth() })}\n`,
        );
        if (json || verbose) for (const problem of problems) deps.warn(`${problemText(problem)}\n`);
      },
    );
};
