import { ApiError } from '../api/client.ts';

const uuid = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const fewest = 4;

/** For a person's terminal: ids by their first 8 characters, which commands take as well. */
export const shortIds = (text: string): string => text.replace(uuid, '$1');

/** Whether an operator may mean one of these ids by `text`. */
export const isBeginningOf = (ids: readonly string[], text: string): boolean =>
  ids.some((id) => id === text || (text.length >= fewest && id.startsWith(text)));

/** The one id that is `text` or begins with it. Throws with the choice, or where to look. */
export const idBeginning = (
  ids: readonly string[],
  text: string,
  what: string,
  list: string,
): string => {
  if (ids.includes(text)) return text;
  const found = ids.filter((id) => isBeginningOf([id], text));
  const [first] = found;
  if (first === undefined) throw new ApiError(`no ${what} is called ${text}; see: ${list}`, null);
  if (found.length > 1)
    throw new ApiError(`several ${what}s begin with ${text}: ${found.join(', ')}`, null);
  return first;
};
