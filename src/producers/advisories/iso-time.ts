/** A time as feeds write it, in ISO 8601 and UTC; null where it is none. */
export const isoTime = (text: string | null | undefined): string | null => {
  if (text === null || text === undefined || !/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
};
