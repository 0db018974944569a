import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { FeedServer } from './fetch/feed-server.ts';
import type { SigningKey } from './signing-key.ts';

/** A list with one package, in a version. */
export const packages = (version: string): Buffer =>
  Buffer.from(`Package: foo\nVersion: ${version}\nArchitecture: amd64\n\n`);
export const sum = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');

export interface MadeSuite {
  /** Of the packages of each component and architecture. */
  versions?: Record<string, string>;
  fields?: Record<string, string>;
  sign?: (text: string) => string;
  /** A further line of checksums. */
  more?: string;
}

/** Puts a suite of security updates on the server, as an archive does. */
export const publishSuite = (
  server: Pick<FeedServer, 'publish'>,
  key: SigningKey,
  suite: string,
  { versions = { 'main/binary-amd64': '1.1' }, fields, sign, more }: MadeSuite = {},
): void => {
  const sums = Object.entries(versions).flatMap(([place, version]) =>
    ['', '.gz'].map((ending) => {
      const content = ending === '' ? packages(version) : gzipSync(packages(version));
      server.publish(`${suite}/${place}/Packages${ending}`, content);
      return ` ${sum(content)} ${content.length} ${place}/Packages${ending}`;
    }),
  );
  const all = {
    ...{ Origin: 'Debian', Suite: 'oldstable-security', Codename: 'bookworm-security' },
    ...{ Date: 'Sun, 29 Nov 2026 01:00:00 UTC', 'Valid-Until': 'Sun, 06 Dec 2026 01:00:00 UTC' },
    ...fields,
  };
  const text = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  server.publish(
    `${suite}/InRelease`,
    (sign ?? key.sign)(
      [...text, 'SHA256:', ...sums, ...(more === undefined ? [] : [more]), ''].join('\n'),
    ),
  );
};
