/** One `key = value` of an LXC configuration; an empty value clears what was said before. */
export interface ConfigEntry {
  key: string;
  value: string;
}

const unquote = (value: string): string => {
  const first = value[0];
  const quoted = value.length > 1 && (first === '"' || first === "'") && value.endsWith(first);
  return quoted ? value.slice(1, -1) : value;
};

/**
 * The entries of one configuration file in their order, as lxc.container.conf(5) reads them:
 * `#` comments only at a line's start, blanks around key and value dropped, one pair of quotes
 * around a value too. Lines without `=` are skipped, for LXC itself refuses the file then.
 */
export const parseConfig = (text: string): ConfigEntry[] =>
  text.split('\n').flatMap((line) => {
    const trimmed = line.trim();
    const equals = trimmed.indexOf('=');
    if (trimmed.startsWith('#') || equals < 1) return [];
    return [
      { key: trimmed.slice(0, equals).trim(), value: unquote(trimmed.slice(equals + 1).trim()) },
    ];
  });
