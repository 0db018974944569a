import { FetchError } from './fetch-error.ts';

/** Where a redirect leads. Throws where it leads nowhere, or from a protected connection to one that is not. */
export const redirectOf = (from: URL, location: string | null): URL => {
  if (location === null || !URL.canParse(location, from.href))
    throw new FetchError(from.href, 'it is redirected to no address');
  const to = new URL(location, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:')
    throw new FetchError(from.href, `it is redirected to ${to.protocol}`);
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new FetchError(from.href, 'it is redirected from https to http, which is not followed');
  to.username = '';
  to.password = '';
  return to;
};
