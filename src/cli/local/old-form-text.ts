/** Containers in the old form, and what to do about them: for `scan` and `container list` alike. */
export const oldFormText = (old: readonly { name: string; rewrite: string }[]): string | null => {
  const [first] = old;
  return first === undefined
    ? null
    : `In the old form, which today's LXC does not start: ${old.map(({ name }) => name).join(', ')}. To rewrite ${old.length === 1 ? 'it' : 'each'}: ${first.rewrite}`;
};
