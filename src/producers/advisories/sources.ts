import { almaErrata } from './alma-errata/source.ts';
import { debianLists } from './debian-lists/source.ts';
import type { AdvisorySource } from './feed-file.ts';
import { osv } from './osv/source.ts';
import { redhatCsaf } from './redhat-csaf/source.ts';
import { rockyErrata } from './rocky-errata/source.ts';
import { updateinfoSource } from './updateinfo/source.ts';

/** Every kind of feed, by its name. */
export const advisorySources: ReadonlyMap<string, AdvisorySource> = new Map(
  [debianLists, osv, updateinfoSource(), almaErrata, rockyErrata, redhatCsaf].map((source) => [
    source.name,
    source,
  ]),
);
