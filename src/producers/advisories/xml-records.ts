import sax from 'sax';
import { errorText } from '../../core/error-text.ts';

/** An element with what is in it. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  /** All text directly within it. */
  text: string;
}

/** A record, or what is wrong from here on: nothing follows a `broken`. */
export type XmlRecord =
  | { kind: 'record'; element: XmlElement }
  | { kind: 'too-large'; number: number; reason: string }
  | { kind: 'broken'; reason: string };

/** More than any real record has; what is beyond is a record that cannot be used. */
const MAX_ELEMENTS = 250_000;
const MAX_CHARACTERS = 32_000_000;
const MAX_DEPTH = 32;
/** Documents may come in pieces of any size, but what the parser queues must stay small. */
const PIECE_BYTES = 65_536;

const emptyElement = (name: string, attributes: Record<string, string>): XmlElement => ({
  name,
  attributes,
  children: [],
  text: '',
});

/** Collects the records while the parser goes through a document: only one of them stands in memory, and what is ready. */
const recordCollector = (root: string, record: string) => {
  const ready: XmlRecord[] = [];
  const open: XmlElement[] = [];
  let rooted = false;
  let depth = 0;
  let number = 0;
  let elements = 0;
  let characters = 0;
  let tooLarge: string | null = null;

  const spend = (count: number, length: number): void => {
    elements += count;
    characters += length;
    if (elements > MAX_ELEMENTS) tooLarge = `it has more than ${MAX_ELEMENTS} elements`;
    if (characters > MAX_CHARACTERS) tooLarge = `it has more than ${MAX_CHARACTERS} characters`;
  };

  const begin = (name: string, attributes: Record<string, string>): void => {
    depth += 1;
    rooted = true;
    if (depth > MAX_DEPTH) throw new Error(`elements are nested more than ${MAX_DEPTH} deep`);
    if (depth === 1 && name !== root) throw new Error(`it is <${name}>, not <${root}>`);
    if (open.length === 0) {
      if (depth !== 2 || name !== record) return;
      number += 1;
      elements = 0;
      characters = 0;
      tooLarge = null;
    }
    spend(
      1,
      Object.values(attributes).reduce((sum, value) => sum + value.length, 0),
    );
    const element = emptyElement(name, attributes);
    if (tooLarge === null) open.at(-1)?.children.push(element);
    open.push(element);
  };

  const text = (more: string): void => {
    const element = open.at(-1);
    if (element === undefined) return;
    spend(0, more.length);
    if (tooLarge === null) element.text += more;
  };

  const end = (): void => {
    depth -= 1;
    const element = open.pop();
    if (element === undefined || open.length > 0) return;
    ready.push(
      tooLarge === null
        ? { kind: 'record', element }
        : { kind: 'too-large', number, reason: tooLarge },
    );
  };
  return { ready, begin, text, end, hasRoot: () => rooted };
};

/**
 * Reads the `<record>` elements directly within the `<root>` of an XML document, one after the other, so that only one of
 * them stands in memory. A document type is refused: feeds have none, and entities come with it. Never throws for what is in
 * the document or for a failure to read it.
 */
export async function* xmlRecords(
  bytes: AsyncIterable<Uint8Array>,
  root: string,
  record: string,
): AsyncGenerator<XmlRecord> {
  const collector = recordCollector(root, record);
  // Without positions the parser would not look at the size of its buffers either.
  const parser = sax.parser(true, { position: true });
  const refuse = (reason: string): never => {
    throw new Error(reason);
  };
  parser.onerror = (error) => refuse(error.message.replaceAll('\n', ', '));
  parser.ondoctype = () => refuse('it has a document type, which feeds have not');
  parser.onopentag = ({ name, attributes }) =>
    collector.begin(name, attributes as Record<string, string>);
  parser.ontext = collector.text;
  parser.oncdata = collector.text;
  parser.onclosetag = collector.end;
  // A broken character spoils the text it is in and no more: names with one are refused where they are used.
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        parser.write(decoder.decode(chunk.subarray(at, at + PIECE_BYTES), { stream: true }));
        yield* collector.ready.splice(0);
      }
    }
    parser.write(decoder.decode());
    parser.close();
    if (!collector.hasRoot()) refuse('it holds no XML element');
    yield* collector.ready.splice(0);
  } catch (error) {
    yield* collector.ready.splice(0);
    yield { kind: 'broken', reason: errorText(error) };
  }
}

/** The first child of that name. */
export const childOf = (element: XmlElement, name: string): XmlElement | undefined =>
  element.children.find((child) => child.name === name);

/** All children of that name. */
export const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name);

/** The text of the first child of that name, without blanks around it; null where there is none, or nothing in it. */
export const textOf = (element: XmlElement, name: string): string | null => {
  const text = childOf(element, name)?.text.trim() ?? '';
  return text === '' ? null : text;
};
