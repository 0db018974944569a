import { evrText, RpmArch, RpmEvr, RpmModule, RpmName } from '../rpm-row.ts';

/** A package as the product tree means it. */
export interface Component {
  name: string;
  /** Null where it has no version: all there are. */
  evr: string | null;
  arch: string | null;
  /** The package that it is built from, not one that is installed. */
  isSource: boolean;
  module: string | null;
}

export type ParsedComponent =
  | { kind: 'component'; component: Component }
  /** Containers, Java archives, what is within a Flatpak: nothing that a package manager installs on a host. */
  | { kind: 'other' }
  | { kind: 'bad'; reason: string };

const bad = (reason: string): ParsedComponent => ({ kind: 'bad', reason });

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

/** `python39:3.9:8080020240911100614:93c2fc2f`, of which the first two tell the stream. */
export const moduleOfText = (text: string): string | null =>
  RpmModule.safeParse(text.split(':').slice(0, 2).join(':')).data ?? null;

/** The version of a purl, with its epoch from among the qualifiers; what is no `version-release` is none. */
const evrOf = (text: string, epoch: string | null): string | null => {
  const dash = text.lastIndexOf('-');
  if (dash < 1) return null;
  const checked = RpmEvr.safeParse({
    epoch,
    version: text.slice(0, dash),
    release: text.slice(dash + 1),
  });
  return checked.success ? evrText(checked.data) : null;
};

const PURL = /^pkg:([a-z]+)\/(?:redhat\/)?([^@?#/]+)(?:@([^?#]*))?(?:\?([^#]*))?$/;

/**
 * The package that a purl names. One without an architecture is a source package if it has a version, as in the layout of
 * 2026 that names what is fixed by its source only, and else a binary one of every architecture.
 */
export const componentOfPurl = (purl: string): ParsedComponent => {
  if (!purl.startsWith('pkg:rpm/')) return { kind: 'other' };
  const [, , encodedName, encodedVersion, query] = PURL.exec(purl) ?? [];
  const name = decoded(encodedName ?? '');
  const version = decoded(encodedVersion ?? '');
  if (!RpmName.safeParse(name).success || name === null) return bad('purl has no package name');
  if (version === null) return bad('purl has a broken version');
  const qualifiers = new URLSearchParams(query ?? '');
  const rpmmod = qualifiers.get('rpmmod');
  if (name.endsWith('-flatpak') || rpmmod?.endsWith(':flatpak') === true) return { kind: 'other' };
  const module = rpmmod === null ? null : moduleOfText(rpmmod);
  if (rpmmod !== null && module === null)
    return bad('rpmmod of the purl is no module name and stream');
  const arch = qualifiers.get('arch');
  if (arch !== null && !RpmArch.safeParse(arch).success) return bad('purl has no architecture');
  const evr = evrOf(version, qualifiers.get('epoch'));
  const isSource = arch === 'src' || (arch === null && evr !== null);
  return { kind: 'component', component: { name, evr, arch, isSource, module } };
};

const NEVRA = /^([A-Za-z0-9_][\w+.~-]*)-(\d{1,10}):([^-:]+-[^-:]+)\.([a-z0-9_]+)$/;

/** The package of a product that has no purl, as in documents of before 2023: `name-epoch:version-release.arch`, or a source's name. */
export const componentOfName = (text: string): ParsedComponent => {
  const [, name, epoch, version, arch] = NEVRA.exec(text) ?? [];
  if (name === undefined || version === undefined || arch === undefined)
    return RpmName.safeParse(text).success
      ? {
          kind: 'component',
          component: { name: text, evr: null, arch: null, isSource: true, module: null },
        }
      : { kind: 'other' };
  const evr = evrOf(version, epoch ?? null);
  const known = RpmName.safeParse(name).success && RpmArch.safeParse(arch).success;
  if (evr === null || !known) return bad('no name, version, release and architecture');
  return {
    kind: 'component',
    component: { name, evr, arch, isSource: arch === 'src', module: null },
  };
};
