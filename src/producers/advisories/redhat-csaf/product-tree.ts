import { z } from 'zod';
import { placeOfCpe } from '../place-of-cpe.ts';
import type { RpmPlace } from '../rpm-row.ts';
import {
  componentOfName,
  componentOfPurl,
  moduleOfText,
  type ParsedComponent,
} from './component.ts';
import { Product, Relationship, type CsafDocument } from './document.ts';

/** What a product id of a vulnerability stands for. */
export type Resolved =
  | { kind: 'package'; place: RpmPlace; component: ParsedComponent; module: string | null }
  /** Of a product that is not installed as packages. */
  | { kind: 'other' }
  | { kind: 'unknown' };

/** Deeper trees and chains of relationships than real ones. */
const MAX_DEPTH = 16;

const Branch = z.object({ product: z.unknown(), branches: z.unknown() }).partial();

/** All products in the branches; what is no branch or product is passed over, and missed where it is referred to. */
const productsOf = (tree: NonNullable<CsafDocument['product_tree']>): Map<string, Product> => {
  const products = new Map<string, Product>();
  const add = (value: unknown): void => {
    const product = Product.safeParse(value);
    if (product.success) products.set(product.data.product_id, product.data);
  };
  const walk = (branches: unknown, depth: number): void => {
    if (!Array.isArray(branches) || depth > MAX_DEPTH) return;
    for (const value of branches) {
      const branch = Branch.safeParse(value).data;
      if (branch?.product !== undefined) add(branch.product);
      walk(branch?.branches, depth + 1);
    }
  };
  walk(tree.branches, 0);
  tree.full_product_names?.forEach(add);
  return products;
};

interface Parts {
  component: string;
  of: string;
}

const relationshipsOf = (tree: NonNullable<CsafDocument['product_tree']>): Map<string, Parts> => {
  const relationships = new Map<string, Parts>();
  for (const value of tree.relationships ?? []) {
    const relationship = Relationship.safeParse(value).data;
    if (relationship === undefined) continue;
    relationships.set(relationship.full_product_name.product_id, {
      component: relationship.product_reference,
      of: relationship.relates_to_product_reference,
    });
  }
  return relationships;
};

const moduleOfPurl = (purl: string | undefined): string | null => {
  const [, name, version] = /^pkg:rpmmod\/(?:redhat\/)?([^@?]+)@([^?]+)/.exec(purl ?? '') ?? [];
  if (name === undefined || version === undefined) return null;
  return moduleOfText(`${name}:${version.replaceAll('%3A', ':')}`);
};

/**
 * Answers what product ids stand for. A package is part of a product, or of a module that is part of one: ids say it only
 * through the relationships and must not be split.
 */
export const productResolver = (
  tree: NonNullable<CsafDocument['product_tree']>,
): ((id: string) => Resolved) => {
  const products = productsOf(tree);
  const relationships = relationshipsOf(tree);

  /** The product that is what a chain of relationships ends in, and the module on the way there. */
  const base = (id: string): { product: Product | undefined; module: string | null } => {
    let current = id;
    let module: string | null = null;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const parts = relationships.get(current);
      if (parts === undefined) return { product: products.get(current), module };
      module ??= moduleOfPurl(products.get(parts.component)?.product_identification_helper?.purl);
      current = parts.of;
    }
    return { product: undefined, module };
  };

  return (id) => {
    const parts = relationships.get(id);
    if (parts === undefined) return products.has(id) ? { kind: 'other' } : { kind: 'unknown' };
    const part = products.get(parts.component);
    const { product, module } = base(parts.of);
    if (part === undefined || product === undefined) return { kind: 'unknown' };
    const place = placeOfCpe(product.product_identification_helper?.cpe ?? '');
    if (place === null) return { kind: 'other' };
    const purl = part.product_identification_helper?.purl;
    if (purl?.startsWith('pkg:rpmmod/') === true) return { kind: 'other' };
    const component = purl === undefined ? componentOfName(part.name) : componentOfPurl(purl);
    return { kind: 'package', place, component, module };
  };
};
