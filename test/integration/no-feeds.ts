import type { ConfiguredFeeds } from '../../src/main/feeds.ts';

/** A server without feeds. */
export const noFeeds = (): Promise<ConfiguredFeeds> =>
  Promise.resolve({
    ...{ leftToHosts: [], feedsFor: () => ({ feeds: [], named: [] }) },
    ...{ forgetOthers: () => Promise.resolve(), close: () => Promise.resolve() },
  });
