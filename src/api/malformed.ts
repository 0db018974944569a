import type { z } from 'zod';

/** What is wrong with a request, in one line: `{"error": "…"}` is read by people and by scripts that log it. */
export const malformed = ({ issues }: z.ZodError): { error: string } => ({
  error: issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; '),
});
