import { productOfRepository } from './red-hat-products.ts';

/** Red Hat's products that go on with one minor release, or after the end of a release, for those who have them. */
export const productStreams: ReadonlySet<string> = new Set([
  ...['eus', 'aus', 'tus', 'e4s', 'els', 'eus_long_life', 'mission_critical'],
]);

/** What the ids of rpm repositories tell of channels, by the words of advisories; `$1` is what the id has there. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  // Product streams of Red Hat, and its extras.
  [/(?:^|-)(aus|e4s|els|eus|tus)(?:-|$)/, '$1'],
  [/^rhel-.*-(extras)(?:-|$)/, '$1'],
  [/^(epel)(?:-|$)/, '$1'],
  // Topics of Amazon Linux 2, and what later ones have beside the main repository.
  [/^amzn2extra-(.+?)(?:-source|-debuginfo)?$/, 'extras-$1'],
  [/^(kernel-livepatch)(?:-|$)/, '$1'],
  [/^amazonlinux-(nvidia)(?:-|$)/, '$1'],
  [/^ol\d+_.*(ksplice|fips)/, '$1'],
  [/^(updates-testing)(?:-|$)/, '$1'],
];

/** What a host is attached to beside its distribution's own repositories, by the ids of those that are enabled. */
export const channelsOf = (repositoryIds: Iterable<string>): string[] => {
  const channels = new Set<string>();
  for (const id of repositoryIds) {
    const product = productOfRepository(id);
    if (product !== null) channels.add(product);
    for (const [sign, channel] of SIGNS) {
      const found = sign.exec(id)?.[1];
      if (found !== undefined) channels.add(channel.replace('$1', found));
    }
  }
  return [...channels].sort();
};
