import { errorText } from '../../core/error-text.ts';

/** One value of a document, or why it is none. Nothing follows a `broken`. */
export type JsonElement =
  | { kind: 'value'; value: unknown; number: number }
  | { kind: 'bad'; number: number; reason: string }
  | { kind: 'broken'; reason: string };

const MAX_DEPTH = 100;
const MAX_CHARACTERS = 48_000_000;
/** Longer names of members are not those that anybody asks for. */
const MAX_KEY = 100;

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const isBlank = (code: number): boolean =>
  code === 32 || code === 10 || code === 13 || code === 9 || code === 0xfeff;
const opens = (code: number): boolean => code === 123 || code === 91;
const closes = (code: number): boolean => code === 125 || code === 93;

/** Goes through the characters of a document and cuts its elements out; the content of each is for `JSON.parse`. */
const elementCutter = (keys: readonly string[]) => {
  const ready: JsonElement[] = [];
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** Depth at which elements lie: 1 in an array, 2 in an array that is a member of the document; 0 is the document. */
  let elementsAt = 0;
  let inElements = false;
  let everCut = false;
  let number = 0;
  let kept: string[] = [];
  let length = 0;
  let lastString = '';
  let sawAnything = false;

  const keep = (text: string): void => {
    length += text.length;
    if (length <= MAX_CHARACTERS) kept.push(text);
    else kept = [];
  };

  const cut = (): void => {
    const text = kept.join('').trim();
    const tooLong = length > MAX_CHARACTERS;
    kept = [];
    length = 0;
    if (text === '' && !tooLong) return;
    number += 1;
    everCut = true;
    if (tooLong) {
      ready.push({ kind: 'bad', number, reason: `it has more than ${MAX_CHARACTERS} characters` });
      return;
    }
    try {
      ready.push({ kind: 'value', value: JSON.parse(text), number });
    } catch (error) {
      ready.push({ kind: 'bad', number, reason: errorText(error).slice(0, 200) });
    }
  };

  const open = (code: number): boolean => {
    depth += 1;
    if (depth > MAX_DEPTH) throw new Error(`it is nested more than ${MAX_DEPTH} deep`);
    const isList = code === 91;
    const begins = isList && (depth === 1 || (depth === 2 && keys.includes(lastString)));
    if (!begins || inElements || everCut) return false;
    elementsAt = depth;
    inElements = true;
    kept = [];
    length = 0;
    return true;
  };

  /** Where an element ends at this character. */
  const ends = (code: number): boolean =>
    inElements && depth === elementsAt && (code === COMMA || closes(code));

  const write = (text: string): void => {
    let from = 0;
    let stringFrom = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (inString) {
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) {
          inString = false;
          if (depth === 1) lastString = (lastString + text.slice(stringFrom, at)).slice(0, MAX_KEY);
        }
        continue;
      }
      if (isBlank(code)) continue;
      sawAnything = true;
      if (code === QUOTE) {
        inString = true;
        stringFrom = at + 1;
        lastString = depth === 1 ? '' : lastString;
      } else if (opens(code)) {
        if (open(code)) from = at + 1;
      } else if (ends(code)) {
        keep(text.slice(from, at));
        cut();
        from = at + 1;
        if (code !== COMMA) {
          inElements = false;
          everCut = true;
        }
      }
      if (closes(code)) depth -= 1;
      if (depth < 0) throw new Error('it closes more than it opens');
    }
    if (inString && depth === 1)
      lastString = (lastString + text.slice(stringFrom)).slice(0, MAX_KEY);
    if (inElements || !everCut) keep(text.slice(from));
  };

  const end = (): void => {
    if (!sawAnything) throw new Error('it is empty');
    if (depth > 0 || inString) throw new Error('it ends before its end');
    if (!everCut) cut();
  };
  return { ready, write, end };
};

/**
 * Reads the elements of a JSON document one after the other, so that only one of them stands in memory: those of the array
 * that the document is, or of the first array among its members that has one of the names; where there is neither, the
 * document is the element. Never throws for what is in it or for a failure to read it.
 */
export async function* jsonElements(
  bytes: AsyncIterable<Uint8Array>,
  keys: readonly string[] = [],
): AsyncGenerator<JsonElement> {
  const cutter = elementCutter(keys);
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const chunk of bytes) {
      cutter.write(decoder.decode(chunk, { stream: true }));
      yield* cutter.ready.splice(0);
    }
    cutter.write(decoder.decode());
    cutter.end();
    yield* cutter.ready.splice(0);
  } catch (error) {
    yield* cutter.ready.splice(0);
    yield { kind: 'broken', reason: errorText(error) };
  }
}
