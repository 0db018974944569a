import { z } from 'zod';
import { below, pathOf } from '../fetch/addresses-below.ts';
import type { FeedAddress } from '../fetch/fetcher.ts';
import type { Inspect, PlainFile } from '../fetch/plain-files.ts';
import { plainFiles } from '../fetch/plain-files.ts';
import { isoTimeOfSeconds } from '../iso-time.ts';
import { jsonElements } from '../json-elements.ts';

const RELEASES = ['8', '9', '10'];
const FILE = 'errata.full.json';

const errataOf = (release: string | undefined, url: string): PlainFile => ({
  url,
  name: release === undefined ? FILE : `${release}/${FILE}`,
});

/** The errata of every release below an address, or those that an address names itself. */
const errataAt = ({ url }: FeedAddress): PlainFile[] => {
  const file = /(?:\/(\d{1,2}))?\/[^/]*\.json(?:\.\w+)?$/.exec(pathOf(url));
  return file === null
    ? RELEASES.map((one) => errataOf(one, below(url, `${one}/${FILE}`)))
    : [errataOf(file[1], url)];
};

const Dated = z.object({ updated_date: z.number() });

const inspect: Inspect = async (files) => {
  let records = 0;
  let newest = 0;
  for await (const file of files)
    for await (const element of jsonElements(file.read(), ['data'])) {
      if (element.kind === 'broken') throw new Error(element.reason);
      records += 1;
      const dated = element.kind === 'value' ? Dated.safeParse(element.value).data : undefined;
      newest = Math.max(newest, dated?.updated_date ?? 0);
    }
  return { records, newest: newest === 0 ? null : isoTimeOfSeconds(newest) };
};

/** AlmaLinux's errata: of all releases, at the address of their directories, or of one of them. */
export const fetchAlmaErrata = plainFiles(errataAt, inspect);
