import type { Advisory, AffectedRow, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import { severityOf } from '../severity-of.ts';
import { asAdvisory, distinctRows, problem, fieldProblems } from '../parsed-record.ts';
import { evrText, fixedRow, isInstallable, RpmModule, type RpmPlace } from '../rpm-row.ts';
import { isoTime } from '../iso-time.ts';
import type { XmlElement } from '../xml-records.ts';
import { artifactOf } from './read-modules.ts';
import { placesOf } from './distribution-of.ts';
import { readUpdate, UpdatePackage, type Collection, type Update } from './read-update.ts';

const ID = /^[A-Za-z0-9][\w.:+-]{2,99}$/;
const MAX_TITLE = 1000;

const kindOf = (type: string): Advisory['kind'] => {
  if (type === 'security') return 'security';
  return /^(?:enhancement|newpackage|feature)/.test(type) ? 'enhancement' : 'bugfix';
};

/** Fedora gives updates to those who test them first; they are in a repository of its own. */
const inTesting = (place: RpmPlace, update: Update): RpmPlace =>
  place.distro === 'fedora' && place.channel === null && /^(?:testing|pending)$/.test(update.status)
    ? { ...place, channel: 'updates-testing' }
    : place;

/** What stands around an update and tells what it does not tell itself. */
export interface Surroundings {
  /** Which distribution it is for. */
  fallback: RpmPlace | null;
  /** `name:stream` of the packages that are of one, by their artifacts. */
  streams: ReadonlyMap<string, string>;
}

interface Rows {
  rows: AffectedRow[];
  problems: ParsedRecord[];
}

/** The rows of one collection; what is wrong with one of its packages is told and the others are kept. */
const collectionRows = (
  file: string,
  id: string,
  update: Update,
  collection: Collection,
  { fallback, streams }: Surroundings,
): Rows => {
  const rows: AffectedRow[] = [];
  const problems: ParsedRecord[] = [];
  const module = RpmModule.nullable().safeParse(collection.module);
  const where = `pkglist.${collection.short}`;
  if (!module.success)
    return { rows, problems: fieldProblems(file, id, module.error, [where, 'module']) };
  const labels = {
    id,
    short: collection.short,
    collection: collection.name,
    release: update.release,
    title: update.title ?? '',
  };
  collection.packages.forEach((raw, at) => {
    if (!isInstallable(raw['arch'] ?? '')) return;
    const checked = UpdatePackage.safeParse(raw);
    if (!checked.success) {
      problems.push(...fieldProblems(file, id, checked.error, [where, 'package', at]));
      return;
    }
    const told = placesOf(labels, checked.data.release);
    const places = told.length === 0 && fallback !== null ? [fallback] : told;
    if (places.length === 0)
      problems.push(problem(file, id, where, 'nothing tells which distribution it is for'));
    const { name, arch } = checked.data;
    const stream = module.data ?? streams.get(artifactOf(checked.data)) ?? null;
    for (const place of places)
      rows.push({
        ...fixedRow(inTesting(place, update), name, arch, stream, evrText(checked.data)),
        exact: true,
      });
  });
  return { rows, problems };
};

/** The same problem of many packages is told once. */
const distinctProblems = (problems: ParsedRecord[]): ParsedRecord[] => [
  ...new Map(problems.map((each) => [JSON.stringify(each), each])).values(),
];

/**
 * What an `<update>` says, as an advisory, beside what of it cannot be used. One of whose packages none can be used is not an
 * advisory; one that names no packages is, and affects nothing.
 */
export const updateToAdvisory = (
  file: string,
  element: XmlElement,
  number: number,
  around: Surroundings,
): ParsedRecord[] => {
  const update = readUpdate(element);
  const { id } = update;
  if (id === null || !ID.test(id))
    return [problem(file, `update ${number}`, 'id', id === null ? 'it is missing' : 'it is no id')];
  const collections = update.collections.map((collection) =>
    collectionRows(file, id, update, collection, around),
  );
  const rows = distinctRows(collections.flatMap((collection) => collection.rows));
  const problems = distinctProblems(collections.flatMap((collection) => collection.problems));
  if (rows.length === 0 && problems.length > 0) return problems;
  const title = (update.title ?? id).slice(0, MAX_TITLE);
  const advisory: Advisory = {
    feed: 'updateinfo',
    id,
    kind: kindOf(update.type),
    title,
    cves: cveIds([...update.references, title]),
    published: update.issued === null ? null : isoTime(update.issued),
    modified: update.updated === null ? null : isoTime(update.updated),
    withdrawn: update.status === 'retracted',
    severity: severityOf(update.severity),
    vendorSeverity: update.severity?.slice(0, 100) ?? null,
    affected: rows,
  };
  const advised = update.rebootSuggested ? { ...advisory, rebootSuggested: true } : advisory;
  return [...problems, ...asAdvisory(file, advised)];
};
