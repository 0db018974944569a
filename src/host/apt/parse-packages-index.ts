import type { DebIndexPackage } from '../../core/platforms/derive-deb-core.ts';

const FIELD = /^(Package|Priority|Essential|Depends|Pre-Depends|Provides): *(.*)$/gm;

/** `libc6:any (>= 2.36)`: its name. */
const nameOf = (relation: string): string => /^[^\s:([]+/.exec(relation.trim())?.[0] ?? '';

const namesOf = (list: string, separator: string): string[] =>
  list
    .split(separator)
    .map(nameOf)
    .filter((name) => name !== '');

/** `a (>= 1) | b, c`: for each of them its alternatives. */
const relationsOf = (field: string | undefined): string[][] =>
  (field ?? '')
    .split(',')
    .map((alternatives) => namesOf(alternatives, '|'))
    .filter((alternatives) => alternatives.length > 0);

const packageOf = (fields: ReadonlyMap<string, string>, name: string): DebIndexPackage => ({
  name,
  priority: fields.get('Priority') ?? '',
  essential: fields.get('Essential') === 'yes',
  depends: [...relationsOf(fields.get('Pre-Depends')), ...relationsOf(fields.get('Depends'))],
  provides: namesOf(fields.get('Provides') ?? '', ','),
});

/** Reads an index of a Debian archive (`Packages`): what of it tells a release's core. */
export const parsePackagesIndex = (text: string): DebIndexPackage[] => {
  const packages: DebIndexPackage[] = [];
  let fields = new Map<string, string>();
  const end = (): void => {
    const name = fields.get('Package');
    if (name !== undefined) packages.push(packageOf(fields, name));
    fields = new Map();
  };
  for (const [, field = '', value = ''] of text.matchAll(FIELD)) {
    // It begins each stanza of an index.
    if (field === 'Package') end();
    fields.set(field, value);
  }
  end();
  return packages;
};
