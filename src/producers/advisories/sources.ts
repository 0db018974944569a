import { debianLists } from './debian-lists/source.ts';
import { debianTracker } from './debian-tracker/source.ts';
import type { AdvisorySource } from './feed-file.ts';
import { osv } from './osv/source.ts';
import { ubuntuNotices } from './ubuntu-notices/source.ts';

/** Every kind of feed, by its name. */
export const advisorySources: ReadonlyMap<string, AdvisorySource> = new Map(
  [debianLists, debianTracker, osv, ubuntuNotices].map((source) => [source.name, source]),
);
