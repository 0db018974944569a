/**
 * Whether the whole of `text` matches `glob`. `*` stands for any run of characters, the empty one
 * included; `?` for exactly one; everything else for itself. There is no escape: names of hosts,
 * containers and packages hold neither sign. Takes at most |glob| × |text| steps, whatever is asked.
 */
export const globMatches = (glob: string, text: string): boolean =>
  matches(glob, text, (sign, character) => sign === '?' || sign === character);

const matches = (
  glob: string,
  text: string,
  stands: (sign: string | undefined, character: string | undefined) => boolean,
): boolean => {
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    if (glob[at] === '*') {
      star = at++;
      resume = position;
    } else if (at < glob.length && stands(glob[at], text[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      // Let the last star swallow one character more.
      at = star + 1;
      position = ++resume;
    } else return false;
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
};

/**
 * Whether every name that `narrow` matches is certainly matched by `wide`, too. A star of `narrow` may stand for
 * anything, so only a star covers it. Says no to a few that an unusual order of signs hides (`?*` and `*?`).
 */
export const globCovers = (wide: string, narrow: string): boolean =>
  matches(wide, narrow, (sign, character) =>
    sign === '?' ? character !== '*' : sign === character,
  );
