import { fetchAlmaErrata } from './alma-errata/fetch.ts';
import { fetchAptSecurity } from './apt-security/fetch.ts';
import { fetchDebianLists } from './debian-lists/fetch.ts';
import { fetchDebianTracker } from './debian-tracker/fetch.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { fetchKev } from './kev/fetch.ts';
import { fetchOsv } from './osv/fetch.ts';
import { fetchRedhatCsaf } from './redhat-csaf/fetch.ts';
import { fetchRockyErrata } from './rocky-errata/fetch.ts';
import { fetchUbuntuNotices } from './ubuntu-notices/fetch.ts';
import { fetchUpdateinfo } from './updateinfo/fetch.ts';

/** How each kind of feed is fetched, by its name. */
export const fetchers: ReadonlyMap<string, Fetcher> = new Map([
  ['debian-lists', fetchDebianLists],
  ['debian-tracker', fetchDebianTracker],
  ['ubuntu-notices', fetchUbuntuNotices],
  ['osv', fetchOsv],
  ['updateinfo', fetchUpdateinfo],
  ['alma-errata', fetchAlmaErrata],
  ['rocky-errata', fetchRockyErrata],
  ['redhat-csaf', fetchRedhatCsaf],
  ['apt-security', fetchAptSecurity],
  ['kev', fetchKev],
]);
