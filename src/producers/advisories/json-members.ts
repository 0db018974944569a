/** Several times what the largest source package of Debian's tracker, linux, has. */
const LONGEST_MEMBER = 128 * 1024 * 1024;

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPENS: ReadonlySet<number> = new Set([123, 91]);
const CLOSES: ReadonlySet<number> = new Set([125, 93]);

/**
 * The members of the JSON object that a document is, one at a time and as text (`"key": value`), so that it does not
 * stand in memory as a whole. Whether a member is JSON shows when it is parsed. Throws where the document is no object, ends
 * too early, goes on behind its end, or is not in UTF-8.
 */
export const jsonMembers = async function* (
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  const end = { isReached: false };
  /** Of the member that is being read, what came in earlier chunks. */
  let begun = '';
  const scan = function* (text: string): Generator<string> {
    let from = 0;
    const take = (to: number): string => {
      const member = begun + text.slice(from, to);
      begun = '';
      from = to + 1;
      return member;
    };
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (code === BACKSLASH) isEscaped = true;
        else if (code === QUOTE) inString = false;
      } else if (depth === 0) {
        if (code === 32 || (code >= 9 && code <= 13)) continue;
        if (end.isReached) throw new Error('something follows the end of the JSON object');
        if (code !== 123) throw new Error('this is no JSON object');
        depth = 1;
        from = at + 1;
      } else if (code === QUOTE) inString = true;
      else if (code === COMMA && depth === 1) yield take(at);
      else if (OPENS.has(code)) depth += 1;
      else if (CLOSES.has(code)) {
        depth -= 1;
        if (depth > 0) continue;
        end.isReached = true;
        const last = take(at);
        if (last.trim() !== '') yield last;
      }
    }
    if (depth > 0) begun += text.slice(from);
    if (begun.length > LONGEST_MEMBER)
      throw new Error(`a member of the JSON object is longer than ${LONGEST_MEMBER} characters`);
  };
  for await (const chunk of chunks) yield* scan(decoder.decode(chunk, { stream: true }));
  yield* scan(decoder.decode());
  if (!end.isReached) throw new Error('the JSON object ends too early');
};
