import { RpmArch, RpmEvr, RpmName } from '../rpm-row.ts';
import { childOf, childrenOf, textOf, type XmlElement } from '../xml-records.ts';

export const UpdatePackage = RpmEvr.extend({ name: RpmName, arch: RpmArch });

/** An `<update>` as it is written; its packages are looked at one by one. */
export interface Update {
  id: string | null;
  type: string;
  status: string;
  title: string | null;
  release: string;
  severity: string | null;
  issued: string | null;
  updated: string | null;
  /** Ids and titles of what it refers to. */
  references: string[];
  rebootSuggested: boolean;
  collections: Collection[];
}

export interface Collection {
  short: string;
  name: string;
  /** `name:stream`; null where it is no module's. */
  module: string | null;
  packages: Record<string, string>[];
}

/** A date stands in an attribute, with some in the text. */
const dateOf = (update: XmlElement, name: string): string | null =>
  childOf(update, name)?.attributes['date'] ?? textOf(update, name);

/** It is there, empty or with `True` or `1`, where a reboot is needed; some write `False` where not. */
const suggestsReboot = (element: XmlElement): boolean => {
  const child = childOf(element, 'reboot_suggested');
  return child !== undefined && !/^(?:false|0|no)$/i.test(child.text.trim());
};

/** Packages stand in a collection; old writers put them directly into the list. */
const collectionOf = (element: XmlElement): Collection => {
  const module = childOf(element, 'module')?.attributes;
  return {
    short: element.attributes['short'] ?? '',
    name: textOf(element, 'name') ?? '',
    module: module === undefined ? null : `${module['name'] ?? ''}:${module['stream'] ?? ''}`,
    packages: childrenOf(element, 'package').map(({ attributes }) => attributes),
  };
};

/** What an `<update>` element says, as text and not yet trusted. */
export const readUpdate = (element: XmlElement): Update => {
  const lists = childrenOf(element, 'pkglist');
  const elements = lists.flatMap((list) => [list, ...childrenOf(list, 'collection')]);
  const references = childrenOf(element, 'references').flatMap(({ children }) => children);
  const packages = elements.flatMap((collection) => childrenOf(collection, 'package'));
  return {
    id: textOf(element, 'id'),
    type: element.attributes['type'] ?? '',
    status: element.attributes['status'] ?? '',
    title: textOf(element, 'title') ?? textOf(element, 'summary'),
    release: textOf(element, 'release') ?? '',
    severity: textOf(element, 'severity'),
    issued: dateOf(element, 'issued'),
    updated: dateOf(element, 'updated'),
    references: references.flatMap(({ attributes }) => [
      attributes['id'] ?? '',
      attributes['title'] ?? '',
    ]),
    rebootSuggested: [element, ...packages].some(suggestsReboot),
    collections: elements.map(collectionOf).filter(({ packages }) => packages.length > 0),
  };
};
