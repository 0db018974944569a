import { expect, test } from '@jest/globals';
import {
  defaultAddresses,
  publishedFeeds,
} from '../../../src/producers/advisories/default-addresses.ts';
import { fetchers } from '../../../src/producers/advisories/fetchers.ts';
import { advisorySources } from '../../../src/producers/advisories/sources.ts';

test('every source has a fetcher, and an address unless the hosts name it', () => {
  const sources = [...advisorySources().keys()].sort();
  expect([...fetchers.keys()].sort()).toEqual(sources);
  expect([...new Set(publishedFeeds.map(({ source }) => source)), 'apt-security'].sort()).toEqual(
    sources,
  );
  expect(publishedFeeds.filter(({ url }) => !/^https:\/\/\S+$/.test(url))).toEqual([]);
  const named = publishedFeeds.map(({ source, name }) => `${source} ${name}`);
  expect(new Set(named).size).toBe(named.length);
});

test('addresses are those of the platform', () => {
  const at = (source: string, distro: string, release: string): string[] =>
    defaultAddresses(source, { distro, release, arch: 'aarch64' }).map(({ url }) => url);
  expect(at('updateinfo', 'rocky', '9')).toEqual([
    'https://dl.rockylinux.org/pub/rocky/9/BaseOS/aarch64/os',
    'https://dl.rockylinux.org/pub/rocky/9/AppStream/aarch64/os',
  ]);
  expect(at('updateinfo', 'amzn', '2023')).toEqual([
    'https://cdn.amazonlinux.com/al2023/core/mirrors/latest/aarch64/mirror.list',
  ]);
  expect(at('alma-errata', 'almalinux', '10')).toEqual([
    'https://errata.almalinux.org/10/errata.full.json',
  ]);
  expect(at('osv', 'ubuntu', '22.04')).toHaveLength(2);
  expect(at('apt-security', 'debian', '12')).toEqual([]);
});
