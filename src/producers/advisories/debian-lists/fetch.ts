import { below, pathOf } from '../fetch/addresses-below.ts';
import type { FeedAddress } from '../fetch/fetcher.ts';
import type { Inspect, PlainFile } from '../fetch/plain-files.ts';
import { plainFiles } from '../fetch/plain-files.ts';
import { linesOf } from '../lines-of.ts';
import { isList } from './source.ts';

/** Both lists below an address, or the one list that an address names itself. */
const listsAt = ({ url }: FeedAddress): PlainFile[] => {
  const path = pathOf(url).split('/').slice(-2).join('/');
  const kind = /D[SLT]S?A/i.exec(path)?.[0].toUpperCase() ?? '';
  if (isList(path)) return [{ url, name: `${kind}/list` }];
  return ['DSA', 'DLA'].map((one) => ({ url: below(url, `${one}/list`), name: `${one}/list` }));
};

/** `[29 Mar 2023] DSA-5380-1 xorg-server - security update`: the newest stands first. */
const heading = /^\[(\d\d? \w{3} \d{4})\] D[SLT]S?A-\d/;

const inspect: Inspect = async (files) => {
  let records = 0;
  let newest: string | null = null;
  for await (const file of files)
    for await (const line of linesOf(file.read())) {
      const date = heading.exec(line)?.[1];
      if (date === undefined) continue;
      records += 1;
      const time = Date.parse(`${date} UTC`);
      if (!Number.isNaN(time)) newest ??= new Date(time).toISOString();
    }
  return { records, newest };
};

/** The two lists of Debian's security tracker, at their directory `data`. */
export const fetchDebianLists = plainFiles(listsAt, inspect);
