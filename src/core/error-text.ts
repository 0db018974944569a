/** What an error says, whatever was thrown. By shape: errors of another realm are no `instanceof Error`. */
export const errorText = (error: unknown): string =>
  typeof error === 'object' &&
  error !== null &&
  'message' in error &&
  typeof error.message === 'string'
    ? error.message
    : String(error);
