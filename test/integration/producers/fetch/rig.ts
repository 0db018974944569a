import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FeedProblem, Advisory } from '../../../../src/core/advisories/advisory.ts';
import type { AdvisorySource } from '../../../../src/producers/advisories/feed-file.ts';
import type {
  FeedAddress,
  Fetched,
  Fetcher,
} from '../../../../src/producers/advisories/fetch/fetcher.ts';
import type { HttpOptions } from '../../../../src/producers/advisories/fetch/http-options.ts';
import { httpDefaults } from '../../../../src/producers/advisories/fetch/http-options.ts';
import { createHttpClient } from '../../../../src/producers/advisories/fetch/http.ts';
import { openFeedFiles } from '../../../../src/producers/advisories/open-feed-files.ts';

export interface Rig {
  directory: string;
  fetch: (fetcher: Fetcher, address: FeedAddress, more?: FetchMore) => Promise<Fetched>;
  /** The files that a parser would see, without what compresses them. */
  files: () => Promise<Record<string, string>>;
  parse: (source: AdvisorySource) => Promise<{ advisories: Advisory[]; problems: FeedProblem[] }>;
  close: () => Promise<void>;
}

export interface FetchMore {
  http?: Partial<HttpOptions>;
  now?: Date;
  signal?: AbortSignal;
  once?: boolean;
  evenIfMostIsGone?: boolean;
}

const unpacked = (content: Buffer): string =>
  (content[0] === 0x1f && content[1] === 0x8b ? gunzipSync(content) : content).toString('utf8');

/** A directory for a feed, and what the producer does with it. */
export const createRig = async (): Promise<Rig> => {
  const directory = await mkdtemp(join(tmpdir(), 'fetched-'));
  return {
    directory,
    fetch: async (fetcher, address, { http = {}, now, signal, ...asked } = {}) => {
      const clock = (): Date => now ?? new Date();
      const client = createHttpClient({ ...httpDefaults, pauseMs: 0, ...http }, clock);
      try {
        return await fetcher({
          ...{ directory, address, http: client, now: clock },
          signal: signal ?? new AbortController().signal,
          ...asked,
        });
      } finally {
        client.close();
      }
    },
    files: async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
        .filter((name) => !/(^|\/)\./.test(name))
        .sort();
      return Object.fromEntries(
        await Promise.all(
          names.map(async (name) => [name, unpacked(await readFile(join(directory, name)))]),
        ),
      ) as Record<string, string>;
    },
    parse: async (source) => {
      const advisories: Advisory[] = [];
      const problems: FeedProblem[] = [];
      for await (const record of source.parse(openFeedFiles(directory)))
        if (record.kind === 'advisory') advisories.push(record.advisory);
        else problems.push(record.problem);
      return { advisories, problems };
    },
    close: async () => {
      await rm(directory, { recursive: true, force: true });
    },
  };
};
