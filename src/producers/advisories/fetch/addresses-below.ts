import { FetchError } from './fetch-error.ts';

/** The address of something below another one. A query of the other one stays, as a key of a mirror may stand there. */
export const below = (address: string, path: string): string => {
  if (!URL.canParse(address)) throw new FetchError(address, 'it is no URL');
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/*$/, '')}/${path.split('/').map(encodeURIComponent).join('/')}`;
  return url.href;
};

/** The path of an address, readable; empty where it is no address. */
export const pathOf = (address: string): string => {
  if (!URL.canParse(address)) return '';
  const { pathname } = new URL(address);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
};

/** A name for the one file at an address that no path can come out of. */
export const nameAt = (address: string, otherwise: string): string => {
  const name = pathOf(address).split('/').at(-1) ?? '';
  return /^[A-Za-z0-9][\w.+:-]{0,150}$/.test(name) ? name : otherwise;
};
