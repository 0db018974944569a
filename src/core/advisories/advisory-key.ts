/** One advisory of one feed, as a text. */
export const advisoryKey = ({ feed, id }: { feed: string; id: string }): string => `${feed} ${id}`;
