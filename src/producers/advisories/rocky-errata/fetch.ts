import { z } from 'zod';
import { pagedFeed } from '../fetch/pages.ts';

const SIZE = 100;

const Page = z.looseObject({
  advisories: z.array(z.unknown()),
  total: z.number().optional(),
  page: z.number().optional(),
  links: z.looseObject({ next: z.string().nullish() }).optional(),
});
const Told = z.looseObject({
  name: z.string(),
  published_at: z.string().nullish(),
});

/** Rocky Linux's errata, at the address of their API (`…/api/v3/advisories/`), or a file of them. */
export const fetchRockyErrata = pagedFeed({
  urlOf: (address, page) => {
    const url = new URL(address);
    url.searchParams.set('page', String(page + 1));
    url.searchParams.set('size', String(SIZE));
    return url.href;
  },
  read: (json, page) => {
    const { advisories, total, page: number, links } = Page.parse(json);
    // A file that was saved from it says what was asked for then.
    const isPage = number === page + 1 && typeof links?.next === 'string';
    return { records: advisories, total: total ?? advisories.length, isLast: !isPage };
  },
  told: (record) => {
    const { data } = Told.safeParse(record);
    return data === undefined ? null : { id: data.name, time: data.published_at ?? '' };
  },
});
