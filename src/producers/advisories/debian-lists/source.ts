import type { AdvisorySource } from '../feed-file.ts';
import { linesOf } from '../lines-of.ts';
import { problemOf } from '../problem-of.ts';
import { wantedFiles } from '../wanted-files.ts';
import { parseDebianList } from './parse-list.ts';

/** `data/DSA/list` and `data/DLA/list` of Debian's security tracker, or files of such names. */
export const isList = (name: string): boolean => /(^|[/_-])D[SLT]S?A([/_-])list/i.test(name);

export const debianLists: AdvisorySource = {
  name: 'debian-lists',
  parse: async function* (files) {
    for await (const file of wantedFiles(files, isList)) {
      try {
        yield* parseDebianList(file.name, linesOf(file.read()));
      } catch (error) {
        yield problemOf(file.name, error);
      }
    }
  },
};
