import { z } from 'zod';
import { pagedFeed } from '../fetch/pages.ts';

/** More than this the API does not give at once. */
const SIZE = 20;

const Page = z.looseObject({
  notices: z.array(z.unknown()),
  offset: z.number().optional(),
  total_results: z.number().optional(),
});
const Told = z.looseObject({ id: z.string(), published: z.string().nullish() });

/** Ubuntu's security notices, at the address of their API (`…/security/notices.json`), or a file of them. */
export const fetchUbuntuNotices = pagedFeed({
  urlOf: (address, page) => {
    const url = new URL(address);
    url.searchParams.set('order', 'newest');
    url.searchParams.set('limit', String(SIZE));
    url.searchParams.set('offset', String(page * SIZE));
    return url.href;
  },
  read: (json, page) => {
    const { notices, offset, total_results: total } = Page.parse(json);
    // A file that was saved from it says what was asked for then.
    const isPage = total !== undefined && offset === page * SIZE;
    return {
      records: notices,
      total: total ?? notices.length,
      isLast: !isPage || offset + notices.length >= total,
    };
  },
  told: (record) => {
    const { data } = Told.safeParse(record);
    return data === undefined ? null : { id: data.id, time: data.published ?? '' };
  },
});
