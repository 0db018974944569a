/** Fields of a stanza by their names in lower case; of several lines with a newline between them. */
export type Stanza = ReadonlyMap<string, string>;

/** Longer values than this are none that are read here, but descriptions and lists of files. */
const LONGEST_VALUE = 8 * 1024 * 1024;

/** Stanzas of deb822(5): fields, what continues them behind a blank, and empty lines between stanzas. */
export const stanzas = async function* (
  lines: AsyncIterable<string>,
  wanted: ReadonlySet<string>,
): AsyncGenerator<Stanza> {
  let stanza = new Map<string, string[]>();
  let open: string[] | null = null;
  let size = 0;
  const over = (): Stanza =>
    new Map([...stanza].map(([name, values]) => [name, values.join('\n')] as const));
  for await (const line of lines) {
    if (line.trim() === '') {
      if (stanza.size > 0) yield over();
      stanza = new Map();
      open = null;
      size = 0;
      continue;
    }
    const [, name = '', value = ''] = /^([A-Za-z0-9][A-Za-z0-9_-]*):\s*(.*)$/.exec(line) ?? [];
    if (name === '') open?.push(line.trim());
    else {
      const key = name.toLowerCase();
      open = wanted.has(key) ? [value.trim()] : null;
      if (open !== null) stanza.set(key, open);
    }
    size += open === null ? 0 : line.length;
    if (size > LONGEST_VALUE) throw new Error(`a stanza has more than ${LONGEST_VALUE} characters`);
  }
  if (stanza.size > 0) yield over();
};
