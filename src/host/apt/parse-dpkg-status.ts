import { Unreadable } from '../../core/unreadable.ts';
import type { InstalledPackage } from '../../core/packages.ts';

/** Selection states of dpkg(1): what the administrator wants of a package. */
const WANTS = ['unknown', 'install', 'hold', 'deinstall', 'purge'] as const;
const FLAGS = ['ok', 'reinstreq'] as const;
const STATES = [
  'not-installed',
  'config-files',
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
  'installed',
] as const;
export type DpkgState = (typeof STATES)[number];

/** One stanza of dpkg's status file. */
export interface DpkgPackage extends InstalledPackage {
  want: (typeof WANTS)[number];
  flag: (typeof FLAGS)[number];
  state: DpkgState;
}

const member = <T extends string>(list: readonly T[], word: string | undefined): T | undefined =>
  list.find((one) => one === word);

const FIELD = /^(Package|Status|Architecture|Version|Source):(.*)$/;

type Fields = Map<string, string>;

/**
 * The wanted fields of each stanza (deb822(5)). It walks over the text line by line and looks only
 * at lines that begin like a wanted field: this runs before each stop of a container.
 */
const readStanzas = (text: string): Fields[] => {
  const stanzas: Fields[] = [];
  let fields: Fields | null = null;
  let begin = 0;
  while (begin < text.length) {
    let end = text.indexOf('\n', begin);
    if (end < 0) end = text.length;
    const first = text[begin] ?? '';
    const blank =
      end === begin || ((first === ' ' || first === '\t') && text.slice(begin, end).trim() === '');
    if (blank) fields = null;
    else {
      if (fields === null) stanzas.push((fields = new Map<string, string>()));
      const match = 'PSAV'.includes(first) ? FIELD.exec(text.slice(begin, end)) : null;
      if (match !== null) fields.set(match[1] ?? '', (match[2] ?? '').trim());
    }
    begin = end + 1;
  }
  return stanzas;
};

const remedy = (field: string): string =>
  `want a stanza with a ${field} as dpkg writes it; its last good state lies beside it (status-old, /var/backups/dpkg.status*)`;

const toPackage = (fields: Fields, path: string): DpkgPackage => {
  const name = fields.get('Package') ?? '';
  if (name === '')
    throw new Unreadable(
      path,
      [...fields].map((pair) => pair.join(': ')).join('\n'),
      remedy('Package'),
    );
  const status = fields.get('Status') ?? '';
  const words = status.split(/\s+/);
  const want = member(WANTS, words[0]);
  const flag = member(FLAGS, words[1]);
  const state = member(STATES, words[2]);
  if (want === undefined || flag === undefined || state === undefined)
    throw new Unreadable(`${path}: status of package ${name}`, status, remedy('Status'));
  const version = fields.get('Version') ?? '';
  // `Source: name (version)`; the version is there only where it differs from the binary's.
  const [, source, sourceVersion] =
    /^(\S+)(?:\s+\((.*)\))?$/.exec(fields.get('Source') ?? '') ?? [];
  return {
    name,
    arch: fields.get('Architecture') ?? '',
    version,
    source: source ?? name,
    sourceVersion: sourceVersion ?? version,
    want,
    flag,
    state,
  };
};

/**
 * Parses dpkg's status file, or one file of its journal. Throws, naming `path` and the package,
 * when a stanza is none that dpkg writes.
 */
export const parseDpkgStatus = (text: string, path: string): DpkgPackage[] =>
  readStanzas(text).map((fields) => toPackage(fields, path));

/**
 * What has files on disk: everything from half-installed up, since in the middle of an upgrade dpkg
 * shows a package so that was there before and will be there after.
 */
export const presentPackages = (packages: readonly DpkgPackage[]): InstalledPackage[] =>
  packages
    .filter(
      ({ state, version }) => version !== '' && !['not-installed', 'config-files'].includes(state),
    )
    .map(({ name, arch, version, source, sourceVersion }) => ({
      name,
      arch,
      version,
      source,
      sourceVersion,
    }));
