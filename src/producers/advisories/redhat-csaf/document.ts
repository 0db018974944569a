import { z } from 'zod';

const Id = z.string().min(1).max(1000);

/** A product that a branch of the tree ends in. */
export const Product = z.object({
  product_id: Id,
  name: z.string().max(2000),
  product_identification_helper: z
    .object({ cpe: z.string().max(1000).optional(), purl: z.string().max(2000).optional() })
    .optional(),
});
export type Product = z.infer<typeof Product>;

/** A component as part of a product, which may itself be part of another. */
export const Relationship = z.object({
  full_product_name: z.object({ product_id: Id }),
  product_reference: Id,
  relates_to_product_reference: Id,
});

const Ids = z.array(Id).optional();
const Remediation = z.object({
  category: z.string().max(100),
  details: z.string().optional(),
  product_ids: Ids,
});
export const Vulnerability = z.object({
  cve: z.string().max(100).optional(),
  product_status: z.object({ fixed: Ids, known_affected: Ids, known_not_affected: Ids }).optional(),
  remediations: z.array(Remediation).optional(),
  threats: z.array(z.object({ category: z.string(), details: z.string() })).optional(),
});
export type Vulnerability = z.infer<typeof Vulnerability>;

/** What every document has; a deleted one has no more. */
export const CsafDocument = z.object({
  document: z.object({
    title: z.string().max(5000).optional(),
    aggregate_severity: z.object({ text: z.string().max(100) }).optional(),
    tracking: z.object({
      id: z.string().regex(/^(?:CVE-\d{4}-\d{4,10}|RH[SBE]A-\d{4}:\d{1,10})$/, 'no id of Red Hat'),
      status: z.string().max(50),
      initial_release_date: z.string().max(100).optional(),
      current_release_date: z.string().max(100).optional(),
    }),
  }),
  product_tree: z
    .object({
      branches: z.array(z.unknown()).optional(),
      full_product_names: z.array(z.unknown()).optional(),
      relationships: z.array(z.unknown()).optional(),
    })
    .optional(),
  vulnerabilities: z.array(z.unknown()).optional(),
});
export type CsafDocument = z.infer<typeof CsafDocument>;
