import type { FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { fileOf } from '../../producers/advisories/feed-files.ts';

/** A bucket of trivy's database: more buckets in it, or a value. */
export interface Bucket {
  bucket?: string;
  pairs?: Bucket[];
  key?: string;
  value?: unknown;
}

interface Entry {
  Affected?: number[];
  Arches?: string[];
  Cves?: { ID?: string; Severity: number }[];
  FixedVersion?: string;
  Status?: number;
}

/** What trivy knows of one id for one package. */
export interface Known {
  platform: string;
  /** `name`, or `module:stream::name`. */
  package: string;
  id: string;
  value: Entry & { Entries?: Entry[]; VendorIDs?: string[]; Severity?: number };
}

/** Every value below the buckets of platforms. */
export const knownIn = (fixtures: Record<string, Bucket[]>): Known[] =>
  Object.values(fixtures)
    .flat()
    .flatMap(({ bucket: platform = '', pairs = [] }) =>
      pairs.flatMap(({ bucket: name = '', pairs: values = [] }) =>
        values.map(({ key: id = '', value }) => ({
          ...{ platform, package: name, id, value: value as Known['value'] },
        })),
      ),
    )
    .filter(({ platform }) => platform !== 'Red Hat CPE');

/** CPEs by their numbers, as entries of Red Hat name them. */
export const cpesIn = (fixtures: Record<string, Bucket[]>): Map<number, string> =>
  new Map(
    Object.values(fixtures)
      .flat()
      .filter(({ bucket }) => bucket === 'Red Hat CPE')
      .flatMap(({ pairs = [] }) => pairs.filter(({ bucket }) => bucket === 'cpe'))
      .flatMap(({ pairs = [] }) => pairs.map(({ key, value }) => [Number(key), value as string])),
  );

const words = ['', 'Low', 'Moderate', 'Important', 'Critical'];
const WILL_NOT_FIX = 5;

/** Module and name of `php:7.2::php`. */
const namesOf = (text: string): { name: string; module: string | null } => {
  const [module, name] = text.split('::');
  return name === undefined ? { name: text, module: null } : { name, module: module ?? null };
};

const evr = (text: string): { epoch: string; version: string; release: string } => {
  const [, epoch = '0', version = '', release = ''] = /^(?:(\d+):)?(.+)-([^-]+)$/.exec(text) ?? [];
  return { epoch, version, release };
};

/** An update of a repository, of one id for one package. */
const updateXml = (id: string, short: string, known: Known, entries: readonly Entry[]): string => {
  const { name, module } = namesOf(known.package);
  const cves = entries.flatMap(({ Cves = [] }) => Cves);
  const ids = cves.length === 0 ? [known.id] : cves.map(({ ID }) => ID ?? '');
  const severity = Math.max(0, ...cves.map(({ Severity }) => Severity));
  const [of, stream] = (module ?? '').split(':');
  const packages = entries.flatMap(({ FixedVersion = '', Arches = ['noarch'] }) => {
    const { epoch, version, release } = evr(FixedVersion);
    return Arches.map(
      (arch) =>
        `<package name="${name}" epoch="${epoch}" version="${version}" release="${release}" arch="${arch}"/>`,
    );
  });
  return `<update type="security"><id>${id}</id><title>${name}</title><severity>${words[severity]}</severity>
<references>${ids.map((cve) => `<reference type="cve" id="${cve}"/>`).join('')}</references>
<pkglist><collection short="${short}"><name>${short}</name>${module === null ? '' : `<module name="${of}" stream="${stream}"/>`}${packages.join('')}</collection></pkglist></update>`;
};

const updateinfo = (updates: readonly string[]): FeedFile =>
  fileOf('updateinfo.xml', `<updates>${updates.join('\n')}</updates>`);

/** What distributors of the rpm family have in their repositories: ids are made up where trivy knows a CVE alone. */
const repositories: Record<string, { short: (release: string) => string; id: string }> = {
  alma: { short: (release) => `almalinux-${release}`, id: 'ALSA-' },
  rocky: { short: (release) => `rocky-linux-${release}`, id: 'RLSA-' },
  Oracle: { short: (release) => `Oracle Linux ${release}`, id: 'ELSA-' },
  amazon: { short: (release) => `amazon-linux-${release}`, id: 'ALAS' },
};

/** The repository metadata of all distributions of the rpm family but Red Hat's. */
export const repositoryOf = (known: readonly Known[]): FeedFile =>
  updateinfo(
    known.map((one, at) => {
      const [distributor = '', ...rest] = one.platform.split(' ');
      const release = rest.at(-1) ?? '';
      const made = repositories[distributor];
      const stream = distributor === 'amazon' && release !== '1' ? release : '';
      const id = `${made?.id}${stream}${distributor === 'amazon' ? '-2000-' : '2000:'}${at + 1}`;
      return updateXml(id, made?.short(release) ?? '', one, one.value.Entries ?? [one.value]);
    }),
  );

/** `7` of `cpe:/o:redhat:enterprise_linux:7::server`. */
const releaseOf = (cpe: string | undefined): string =>
  /enterprise_linux:(\d+)/.exec(cpe ?? '')?.[1] ?? '';

/** Red Hat's advisories: what names a version. */
export const redHatRepository = (
  known: readonly Known[],
  cpes: ReadonlyMap<number, string>,
): FeedFile =>
  updateinfo(
    known
      .filter(({ id }) => id.startsWith('RHSA-'))
      .flatMap((one) => {
        const entries = one.value.Entries ?? [];
        const releases = new Set(
          entries.map(({ Affected: [first = -1] = [] }) => releaseOf(cpes.get(first))),
        );
        return [...releases].map((release) =>
          updateXml(
            one.id,
            `rhel-${release}-server-rpms`,
            one,
            entries.filter(
              ({ Affected: [first = -1] = [] }) => releaseOf(cpes.get(first)) === release,
            ),
          ),
        );
      }),
  );

/** Red Hat's VEX: what goes by a CVE and has no fix. */
export const redHatVex = (known: readonly Known[], cpes: ReadonlyMap<number, string>): FeedFile[] =>
  known
    .filter(({ id }) => id.startsWith('CVE-'))
    .map(({ id, package: text, value }) => {
      const { name } = namesOf(text);
      const [entry] = value.Entries ?? [];
      const products = (entry?.Affected ?? []).map((number) => cpes.get(number) ?? '');
      const ids = products.map((cpe) => `${cpe} ${name}`);
      const leaf = (product_id: string, helper: object) => ({
        product: { product_id, name: product_id, product_identification_helper: helper },
      });
      const details = entry?.Status === WILL_NOT_FIX ? 'Will not fix' : 'Affected';
      return fileOf(
        `${id.toLowerCase()}.json`,
        JSON.stringify({
          document: {
            aggregate_severity: { text: words[entry?.Cves?.[0]?.Severity ?? 0] },
            tracking: { id, status: 'final' },
          },
          product_tree: {
            branches: [
              ...products.map((cpe) => leaf(cpe, { cpe })),
              leaf(name, { purl: `pkg:rpm/redhat/${name}` }),
            ],
            relationships: products.map((cpe, at) => ({
              full_product_name: { product_id: ids[at] },
              product_reference: name,
              relates_to_product_reference: cpe,
            })),
          },
          vulnerabilities: [
            {
              cve: id,
              product_status: { known_affected: ids },
              remediations: [{ category: 'no_fix_planned', details, product_ids: ids }],
            },
          ],
        }),
      );
    });

/** Debian's tracker, and the list of the advisories that trivy names. */
export const debianFiles = (known: readonly Known[]): { tracker: FeedFile; list: FeedFile } => {
  const urgencies = ['not yet assigned', 'low', 'medium', 'high'];
  const tracker: Record<string, Record<string, object>> = {};
  const list: string[] = [];
  for (const { package: source, id, value } of known) {
    const { FixedVersion: fixed = '', VendorIDs: advisories = [], Severity = 0 } = value;
    const urgency = urgencies[Severity];
    (tracker[source] ??= {})[id] = {
      releases: {
        stretch:
          fixed === ''
            ? {
                ...{ status: 'open', urgency, repositories: {} },
                ...(value.Status === WILL_NOT_FIX ? { nodsa: '', nodsa_reason: 'ignored' } : {}),
              }
            : { status: 'resolved', fixed_version: fixed, urgency, repositories: {} },
      },
    };
    for (const advisory of advisories)
      list.push(
        `[30 Dec 2020] ${advisory} ${source} - security update\n\t{${id}}\n\t[stretch] - ${source} ${fixed}\n`,
      );
  }
  return {
    tracker: fileOf('json', JSON.stringify(tracker)),
    list: fileOf('DSA-list', list.join('')),
  };
};

/** Ubuntu's records of CVEs. */
export const ubuntuRecords = (known: readonly Known[]): FeedFile[] =>
  known.map(({ platform, package: name, id, value }) => {
    const { FixedVersion: fixed = '' } = value;
    const events = [{ introduced: '0' }, ...(fixed === '' ? [] : [{ fixed }])];
    const ecosystem = `Ubuntu:${platform.split(' ')[1]}`;
    return fileOf(
      `UBUNTU-${id}.json`,
      JSON.stringify({
        ...{ id: `UBUNTU-${id}`, upstream: [id] },
        affected: [{ package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events }] }],
      }),
    );
  });
