import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { mutatedBytes, mutatedJson } from '../../fuzz/mutations.ts';
import { tar } from '../../producers/advisories/tar.ts';
import { zip } from '../../producers/advisories/zip.ts';

/** A document that would become ten to the power of twelve characters, and one that names a file. */
const ENTITIES = [
  `<!DOCTYPE a [<!ENTITY z0 "0123456789">${Array.from(
    { length: 11 },
    (_, at) => `<!ENTITY z${at + 1} "${`&z${at};`.repeat(10)}">`,
  ).join('')}<!ENTITY z "&z11;">]>`,
  '<!DOCTYPE a [<!ENTITY z SYSTEM "file:///etc/passwd">]>',
];

/** A document as a whole in another form: in another encoding, compressed, in an archive, with entities. */
const inOtherForm = (original: Buffer): fc.Arbitrary<Buffer> => {
  const text = original.toString('utf8');
  const swapped = Buffer.from(text, 'utf16le').swap16();
  return fc.constantFrom(
    ...[Buffer.from(text, 'utf16le'), swapped, Buffer.from(text, 'latin1')],
    ...[Buffer.from(`\u{feff}${text}`, 'utf16le'), Buffer.from(`\u{feff}${text}`)],
    ...[gzipSync(original), gzipSync(gzipSync(original))],
    ...[zip({ 'a.json': original }), tar([{ name: 'a.json', content: original }])],
    ...ENTITIES.map((entities) =>
      Buffer.from(entities + text.replace(/<(id|title|name|description)>/g, '<$1>&z;')),
    ),
  );
};

/** A document that somebody changed, in places or as a whole. */
export const changedDocument = (
  name: string,
  original: Buffer,
): fc.Arbitrary<string | Uint8Array> => {
  const inPlaces = name.includes('.json')
    ? fc.oneof(mutatedBytes(original), mutatedJson(original.toString()))
    : mutatedBytes(original);
  return fc.oneof(
    { weight: 20, arbitrary: inPlaces },
    { weight: 1, arbitrary: inOtherForm(original) },
  );
};

/** Names that lead out of an archive, or mean something else to a file system, a terminal or a program. */
const NAMES = [
  ...['../../../etc/passwd', '/etc/passwd', '..', '.', '', './../x.json', 'a/../../x.json'],
  ...['C:\\x.json', '..\\..\\x.json', '\u001b]0;x\u0007.json', 'a\0b.json', '\u{202e}nosj.x'],
  ...['__proto__', 'constructor.json', 'all/x.json', 'a.tar', 'b.zip', 'x'.repeat(5_000)],
];

/** An archive whose names and contents nobody would make who means well. */
export const madeArchive = (): fc.Arbitrary<Buffer> => {
  const record = '{"id": "DSA-1-1", "modified": "2026-03-01T00:00:00Z", "affected": []}';
  const content = fc.constantFrom<string | Buffer>(
    ...['', record, '{', Buffer.alloc(3_000_000), gzipSync(Buffer.alloc(20_000_000))],
    ...[zip({ 'x.json': record }), tar([{ name: '../x.json', content: record }])],
  );
  const part = fc.record({
    name: fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', maxLength: 20 })),
    content,
    kind: fc.constantFrom('0', '0', '0', '1', '2', '5', 'x', 'L', 'g', '\0', 'S'),
  });
  return fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.boolean(), fc.boolean())
    .map(([parts, isZip, isPacked]) => {
      const made = isZip
        ? zip(Object.fromEntries(parts.map(({ name, content: one }) => [name, one])))
        : tar(parts);
      return isPacked ? gzipSync(made) : made;
    });
};
