/** Bytes of a text in JSON. The owner of a container may name files as long as the file system allows. */
const longestBytes = 512;

const fits = (text: string): boolean => Buffer.byteLength(JSON.stringify(text)) <= longestBytes;

/** A text as it is told: its beginning, where it is longer than anybody reads. */
export const shortText = (text: string): string => {
  if (fits(text)) return text;
  const bytes = Buffer.from(text);
  let end = longestBytes;
  const beginning = (): string => `${bytes.subarray(0, end).toString()}…`;
  // What JSON escapes takes up to six times as much there.
  while (!fits(beginning())) end = Math.floor(end * 0.8);
  return beginning();
};
