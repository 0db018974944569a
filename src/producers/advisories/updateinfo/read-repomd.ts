import { posix } from 'node:path';
import { z } from 'zod';
import { childOf, textOf, xmlRecords } from '../xml-records.ts';

/** The advisories of a repository, as its `repomd.xml` names them. */
export interface UpdateinfoEntry {
  /** Path of the file within the feed. */
  path: string;
  /** Of the file as it is stored. */
  checksum: { algorithm: string; value: string };
  /** In bytes, as it is stored; null: it does not say. */
  size: number | null;
}

export type Repomd =
  | {
      ok: true;
      updateinfo: UpdateinfoEntry | null;
      /** When the newest of its files was made, in seconds since 1970; null: it does not say. */
      made: number | null;
    }
  | { ok: false; field: string; reason: string };

/** repomd's names of them that are safe, and Node's. `sha` is what createrepo called SHA-1; some repositories still do. */
const ALGORITHMS = new Map([
  ['sha', 'sha1'],
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
]);

const Entry = z.object({
  type: z.string().transform((type, context) => {
    const algorithm = ALGORITHMS.get(type.toLowerCase());
    if (algorithm === undefined)
      context.addIssue(`"${type.slice(0, 20)}" is no checksum known here`);
    return algorithm ?? '';
  }),
  checksum: z
    .string()
    .regex(/^[0-9a-f]{40,128}$/i, 'no checksum')
    .transform((value) => value.toLowerCase()),
  href: z.string().min(1).max(1000),
});

const wholeNumber = (text: string | null): number | null =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;

/**
 * What a `repomd.xml` says of the advisories of its repository: null where it has none. Its path is needed because those of
 * its files are relative to the directory above it.
 */
export const readRepomd = async (
  path: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Repomd> => {
  let updateinfo: UpdateinfoEntry | null = null;
  let made: number | null = null;
  for await (const record of xmlRecords(bytes, 'repomd', 'data')) {
    if (record.kind !== 'record') return { ok: false, field: '', reason: record.reason };
    const { element } = record;
    const time = wholeNumber(textOf(element, 'timestamp')?.split('.')[0] ?? null);
    if (time !== null && time > (made ?? 0)) made = time;
    if (element.attributes['type'] !== 'updateinfo') continue;
    const entry = Entry.safeParse({
      type: childOf(element, 'checksum')?.attributes['type'],
      checksum: textOf(element, 'checksum'),
      href: childOf(element, 'location')?.attributes['href'],
    });
    if (!entry.success) {
      const [issue] = entry.error.issues;
      const field = ['updateinfo', ...(issue?.path ?? [])].map(String).join('.');
      return { ok: false, field, reason: issue?.message ?? 'it is not as it must be' };
    }
    updateinfo = {
      path: posix.join(posix.dirname(path), '..', entry.data.href),
      checksum: { algorithm: entry.data.type, value: entry.data.checksum },
      size: wholeNumber(textOf(element, 'size')),
    };
  }
  return { ok: true, updateinfo, made };
};
