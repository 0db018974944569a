/** Product streams of Red Hat, and what else advisories name by its channel. */
const CHANNELS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|-)aus(?:-|$)/, 'aus'],
  [/(?:^|-)e4s(?:-|$)/, 'e4s'],
  [/^epel(?:-|$)/, 'epel'],
  [/(?:^|-)eus(?:-|$)/, 'eus'],
  [/(?:^|-)tus(?:-|$)/, 'tus'],
];

/** What a host is attached to beside its distribution's own repositories, by the ids of those that are enabled. */
export const channelsOf = (repositoryIds: readonly string[]): string[] =>
  CHANNELS.filter(([sign]) => repositoryIds.some((id) => sign.test(id))).map(
    ([, channel]) => channel,
  );
