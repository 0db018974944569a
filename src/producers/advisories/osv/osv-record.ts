import { z } from 'zod';

/** An event of a range: each has one key. Unknown ones are ignored, as the schema asks. */
const Event = z.looseObject({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
});

export const OsvAffected = z.looseObject({
  package: z.looseObject({
    ecosystem: z.string(),
    name: z.string().regex(/^[A-Za-z0-9_][\w+.~-]{0,254}$/, 'no name of a package'),
    purl: z.string().max(2000).optional(),
  }),
  ranges: z.array(z.looseObject({ type: z.string(), events: z.array(Event) })).nullish(),
  versions: z.array(z.string().min(1).max(300)).max(100_000).nullish(),
  ecosystem_specific: z
    .looseObject({ urgency: z.string().optional(), availability: z.string().optional() })
    .nullish(),
  /** Each distributor's own, read where it is as expected. */
  database_specific: z.unknown().optional(),
});
export type OsvAffected = z.infer<typeof OsvAffected>;

/** What we use of a record (https://ossf.github.io/osv-schema/); each `affected` is judged by itself. */
export const OsvRecord = z.looseObject({
  id: z.string().regex(/^[A-Za-z][\w.:+~-]{1,199}$/, 'no id'),
  summary: z.string().optional(),
  modified: z.string().optional(),
  published: z.string().optional(),
  withdrawn: z.string().nullish(),
  aliases: z.array(z.string()).nullish(),
  related: z.array(z.string()).nullish(),
  upstream: z.array(z.string()).nullish(),
  severity: z.array(z.looseObject({ type: z.string(), score: z.string() })).nullish(),
  database_specific: z.looseObject({ severity: z.string().optional() }).nullish(),
  affected: z.array(z.unknown()).nullish(),
});
export type OsvRecord = z.infer<typeof OsvRecord>;
