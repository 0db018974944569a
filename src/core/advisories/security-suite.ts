import { z } from 'zod';

/**
 * An address as it may be told to others: http or https, without a user name and password, without a query. One form for
 * what is the same; null where there is none.
 */
export const plainAddress = (text: string): string | null => {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href.replace(/\/+$/, '');
};

const Word = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][\w.+-]*(?:\/[a-z0-9][\w.+-]*)*$/i);

/** A suite of security updates that a host's own sources name: where its packages come from, and nothing of whom it trusts. */
export const SecuritySuite = z.strictObject({
  url: z
    .string()
    .max(300)
    .refine((text) => plainAddress(text) === text, 'want a plain http or https address'),
  /** As the sources call it: `bookworm-security`. */
  suite: Word,
  components: z.array(Word).min(1).max(16),
  architectures: z.array(Word).min(1).max(16),
});
export type SecuritySuite = z.infer<typeof SecuritySuite>;

/** More of them a host cannot name. */
export const mostSuites = 16;
