import type { InventoryPackage } from './inventory.ts';

/** Whether a rpm was built as part of a module: `18.1.0-1.module_el8.5.0+1+abc`. */
export const isModular = (version: string): boolean => /\.module[_+]/.test(version);

/** `1:18.18.2-2.module…` in parts: 18, 18, 2. */
export const partsOf = (version: string): string[] =>
  (version.replace(/^\d+:/, '').split('-')[0] ?? '').split(/[._+~^]/);

export const commonParts = (a: string, b: string): number => {
  const [x, y] = [partsOf(a), partsOf(b)];
  let count = 0;
  while (count < x.length && count < y.length && x[count] === y[count]) count += 1;
  return count;
};

/** Whether a version begins with what a stream is called: 7.4.19 with `7.4`. */
export const beginsWith = (version: string, stream: string): boolean => {
  const parts = partsOf(version);
  return partsOf(stream).every((part, at) => part === parts[at]);
};

/**
 * Modules whose streams are called by the version of the package that is called like the module, and by how many numbers of it:
 * `nodejs:18`, `php:8.1`.
 */
const streamNumbers: ReadonlyMap<string, number> = new Map([
  ...['nodejs', 'postgresql', 'redis', 'varnish', 'squid', 'log4j'].map(
    (name) => [name, 1] as const,
  ),
  ...['httpd', 'mariadb', 'maven', 'mysql', 'nginx', 'perl', 'php', 'ruby'].map(
    (name) => [name, 2] as const,
  ),
  ...['freeradius', 'subversion', 'swig'].map((name) => [name, 2] as const),
]);

/** The stream that a version of the package which is called like its module is of; null: that tells none. */
const streamOf = (name: string, version: string): string | null => {
  const numbers = streamNumbers.get(name);
  const parts = partsOf(version);
  if (numbers === undefined || !/^\d+$/.test(parts[0] ?? '')) return null;
  // PostgreSQL counted otherwise before 10.
  const old = name === 'postgresql' && Number(parts[0]) < 10;
  return parts.slice(0, old ? 2 : numbers).join('.');
};

/** The module that a package is likely of, by its name: `php-pecl-zip` and `php-common` of `php`; null: nothing tells. */
const moduleOfName = (name: string): string | null => {
  if (name === 'npm') return 'nodejs';
  if (/^rubygem(?:s$|-)/.test(name)) return 'ruby';
  const [first = ''] = name.split('-');
  return streamNumbers.has(first) ? first : null;
};

/** How many numbers of two versions of a package must be the same in one stream. */
export const numbersOfStream = (name: string): number => {
  const module = moduleOfName(name);
  return module === null ? 1 : (streamNumbers.get(module) ?? 1);
};

/** A stream that is a number is the beginning of its versions; others (`rhel8`, `latest`) roll over them. */
export const isNumbered = (module: string): boolean => /^\d/.test(module.split(':')[1] ?? '');

/**
 * The package by whose version a stream is called, and how that begins. Of modules that are not known, not more than the first
 * number: `pki-core:10.6` has pki-core 10.15.
 */
export const namesakeOf = (module: string): { name: string; version: string } => {
  const [name = '', stream = ''] = module.split(':');
  if (streamNumbers.has(name)) return { name, version: stream };
  if (name !== 'container-tools') return { name, version: partsOf(stream)[0] ?? '' };
  // Its second stream is of another number than podman was then.
  return { name: 'podman', version: stream === '2.0' ? '1.6' : stream };
};

/**
 * Packages of modules that do not say of which stream they are, with the one that others of the host tell: the package that is called
 * like the module has its number.
 */
export const withLikelyModules = (
  packages: readonly InventoryPackage[],
): readonly InventoryPackage[] => {
  const isSilent = ({ module, version }: InventoryPackage): boolean =>
    (module ?? null) === null && isModular(version);
  if (!packages.some(isSilent)) return packages;
  const streams = new Map<string, string>();
  for (const one of packages) {
    if (!isSilent(one)) continue;
    const name = one.source ?? one.name;
    const stream = streamOf(
      name,
      one.source === undefined ? one.version : (one.sourceVersion ?? one.version),
    );
    if (stream !== null) streams.set(name, stream);
  }
  return packages.map((one) => {
    if (!isSilent(one)) return one;
    const module = [one.source ?? '', moduleOfName(one.name) ?? ''].find((name) =>
      streams.has(name),
    );
    return module === undefined
      ? one
      : { ...one, likelyModule: `${module}:${streams.get(module)}` };
  });
};
