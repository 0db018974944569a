import { channelsOf } from '../../../core/advisories/channels-of.ts';
import type { RpmPlace } from '../rpm-row.ts';

/** What an update says of itself that tells which distribution it is for. */
export interface UpdateLabels {
  id: string;
  /** `short` and `<name>` of the collection; `` where there is none. */
  short: string;
  collection: string;
  /** `<release>`. */
  release: string;
  title: string;
}

/** Distributions that install EPEL's packages. */
const EL_DISTROS = ['almalinux', 'rocky', 'rhel', 'ol', 'centos'];
/** VERSION_ID of the only Amazon Linux that is not named by a number of its own. */
const FIRST_AMAZON = '2018.03';

const texts = ({ short, collection, release, title }: UpdateLabels): string[] => [
  short,
  collection,
  release,
  title,
];

/** The first group of a pattern in the first label that has it. */
const found = (labels: UpdateLabels, pattern: RegExp): string | undefined =>
  texts(labels)
    .map((text) => pattern.exec(text)?.[1])
    .find((group) => group !== undefined);

const amazonTopic = (labels: UpdateLabels): string | null => {
  const byCollection = /^amazon-linux-\d+-{1,3}([a-z][\w.+-]*)$/i.exec(labels.short)?.[1];
  const byId = /^ALAS(?:2|20\d\d)?-?([A-Z][\w.+-]*?)-\d{4}-\d+$/.exec(labels.id)?.[1];
  const topic = (byCollection ?? byId ?? '').toLowerCase();
  return topic === '' || topic === 'core' ? null : topic.replace(/^extras?-/, '');
};

/** Extras of Amazon Linux 2 are topics that a host enables, later the repositories beside the main one. */
const amazon = (labels: UpdateLabels): RpmPlace[] => {
  const named = found(labels, /^amazon[ -]linux[ -](2\d{3}|2)(?!\d)/i);
  const release = named ?? /^ALAS(2\d{3}|2)/.exec(labels.id)?.[1] ?? FIRST_AMAZON;
  const topic = amazonTopic(labels);
  // Ids call it shorter than its repository is called.
  const own = topic === 'livepatch' ? 'kernel-livepatch' : topic;
  const channel = topic === null || release !== '2' ? own : `extras-${topic}`;
  return [{ distro: 'amzn', release, channel }];
};

const fedora = (labels: UpdateLabels): RpmPlace[] => {
  const epel = found(labels, /^(?:fedora )?epel[ -]?(\d{1,2})(?![\d])/i);
  if (epel !== undefined)
    return EL_DISTROS.map((distro) => ({ distro, release: epel, channel: 'epel' }));
  const release = found(labels, /^fedora (\d{1,3})(?!\d)/i);
  return release === undefined ? [] : [{ distro: 'fedora', release, channel: null }];
};

/** The product streams of Red Hat that get updates after the next minor release is out. */
const STREAM = /-(eus|e4s|aus|tus)-rpms__(\d{1,2})_DOT_(\d{1,2})/;

const redhat = (labels: UpdateLabels): RpmPlace[] => {
  const [, stream, major, minor] = STREAM.exec(labels.short) ?? [];
  if (stream !== undefined && major !== undefined && minor !== undefined)
    return [{ distro: 'rhel', release: `${major}.${minor}`, channel: stream }];
  const release = found(
    labels,
    /^(?:(?:[\w.-]+-for-)?rhel-(?:server-\w+-)?|red hat enterprise linux[^\d]{0,40})(\d{1,2})(?!\d)/i,
  );
  // What has a repository of its own is not for those who have the distribution alone: `rhel-7-server-els-rpms`.
  const [channel = null] = channelsOf([labels.short]);
  return release === undefined ? [] : [{ distro: 'rhel', release, channel }];
};

const numbered =
  (distro: string, pattern: RegExp) =>
  (labels: UpdateLabels): RpmPlace[] => {
    const release = found(labels, pattern);
    return release === undefined ? [] : [{ distro, release, channel: null }];
  };

/** By the prefix of the ids, which each distributor has of its own. */
const DISTRIBUTORS: [prefix: RegExp, places: (labels: UpdateLabels) => RpmPlace[]][] = [
  [/^AL[SBE]A-/, numbered('almalinux', /^al(?:ma[ -]?linux(?: os)?[ -]?)?(\d{1,2})(?!\d)/i)],
  [/^R[LX][SBE]A-/, numbered('rocky', /^rocky[ -]?linux[ -]?(\d{1,2})(?!\d)/i)],
  [/^EL[SBE]A-/, numbered('ol', /^(?:oracle linux |ol)(\d{1,2})(?!\d)/i)],
  [/^RH[SBE]A-/, redhat],
  [/^ALAS/, amazon],
  [/^FEDORA-/, fedora],
];

const ENTERPRISE = new Map([
  ['ALA', 'almalinux'],
  ['RLA', 'rocky'],
  ['RXA', 'rocky'],
  ['ELA', 'ol'],
  ['RHA', 'rhel'],
]);

/** What a package was built for, where nothing around it says it: the `el9` in `8.el9_0` or `module+el8.5.0+…`. */
const byPackage = (id: string, packageRelease: string): RpmPlace[] => {
  const distro = ENTERPRISE.get(id.slice(0, 2) + id.slice(3, 4));
  const release = /(?:^|[._+])el(\d{1,2})(?=[._+]|$)/.exec(packageRelease)?.[1];
  return distro === undefined || release === undefined ? [] : [{ distro, release, channel: null }];
};

/** Kernels patched while they run and certified builds come from repositories of their own, with the same names. */
const ofOracle = (place: RpmPlace, packageRelease: string): RpmPlace => {
  if (place.distro !== 'ol') return place;
  const kind = /[._](ksplice|fips)/.exec(packageRelease)?.[1];
  return kind === undefined ? place : { ...place, channel: kind };
};

/**
 * The distributions that a package of an update is for, best evidence first: the labels of its collection, the package's own
 * release. Empty where nothing tells; more than one for EPEL.
 */
export const placesOf = (labels: UpdateLabels, packageRelease: string): RpmPlace[] => {
  const distributor = DISTRIBUTORS.find(([prefix]) => prefix.test(labels.id));
  const labelled = distributor?.[1](labels) ?? [];
  const places = labelled.length > 0 ? labelled : byPackage(labels.id, packageRelease);
  return places.map((place) => ofOracle(place, packageRelease));
};
