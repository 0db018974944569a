import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Advisory, AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { createHostFindings } from '../../../src/core/advisories/host-findings.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { IndexedInventory } from '../../../src/core/advisories/index-inventory.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { debianTracker } from '../../../src/producers/advisories/debian-tracker/source.ts';
import { openFeedFiles } from '../../../src/producers/advisories/open-feed-files.ts';
import { osv } from '../../../src/producers/advisories/osv/source.ts';
import { redhatCsaf } from '../../../src/producers/advisories/redhat-csaf/source.ts';
import { fixtures } from '../../producers/advisories/stored-files.ts';
import { oracle, tableOf } from './oracle-files.ts';

/** What people said of a finding of a scanner: that it is one (`TP`) or is none (`FP`). */
interface Label {
  platform: string;
  /** What the scanner found: of a library of a language, GitHub's advisory. */
  id: string;
  cve: string;
  package: string;
  version: string;
  label: string;
}

const images = tableOf<'image' | 'platforms' | 'why not'>(oracle('label-images.tsv'));
const platformsOf = new Map(
  images.map(({ image, platforms }) => [image, platforms.split(' ').filter((one) => one !== '')]),
);
const sourceOf = new Map(
  tableOf<'package' | 'source'>(oracle('label-sources.tsv')).map((row) => [
    row.package,
    row.source,
  ]),
);

const rows = tableOf<
  'image' | 'vulnerability_id' | 'effective_cve' | 'package' | 'version' | 'label'
>(oracle('grype-match-labels.tsv.gz'));
const labels: Label[] = rows
  .filter(({ label }) => label !== '??')
  .flatMap(({ image, vulnerability_id, effective_cve, package: name, version, label }) =>
    (platformsOf.get(image) ?? []).map((platform) => ({
      ...{ platform, id: vulnerability_id, package: name, version, label },
      cve: effective_cve === '' ? vulnerability_id : effective_cve,
    })),
  );

const textOf = (one: Omit<Label, 'id'>): string =>
  [one.platform, one.cve, one.package, one.version, one.label].join(' ');
const differences = new Map(
  tableOf<Exclude<keyof Label, 'id'> | 'reason'>(oracle('label-differences.tsv')).map((row) => [
    textOf(row),
    row.reason,
  ]),
);

const byCve = new Map<string, Advisory[]>();

beforeAll(async () => {
  const matching = `${fixtures}/../matching/label-feeds`;
  for (const [source, path] of [
    [debianLists, `${fixtures}/debian/DSA-list.txt.gz`],
    [debianLists, `${fixtures}/debian/DLA-list.txt.gz`],
    [debianTracker, `${fixtures}/debian/tracker-1.json`],
    [debianTracker, `${fixtures}/debian/tracker-2.json`],
    [osv, `${matching}/osv`],
    [redhatCsaf, `${matching}/redhat-csaf`],
  ] as const)
    for await (const record of source.parse(openFeedFiles(path)))
      if (record.kind === 'advisory')
        for (const cve of record.advisory.cves)
          byCve.set(cve, [...(byCve.get(cve) ?? []), record.advisory]);
});

/** A host that has nothing but the package. */
const hostOf = ({ platform, package: name, version }: Label): IndexedInventory =>
  indexInventory({
    platform,
    packages: [
      /^(?:debian|ubuntu)-/.test(platform)
        ? { name, arch: 'amd64', version, source: sourceOf.get(name) ?? name }
        : { name, arch: 'x86_64', version },
    ],
  });

const isReported = (label: Label): boolean => {
  const found = createHostFindings(hostOf(label));
  for (const one of byCve.get(label.cve) ?? []) found.take(one);
  return found
    .standing()
    .some(({ state, cves }) => state !== 'applied' && cves.includes(label.cve));
};

const names = (row: AffectedRow, { package: name }: Label): boolean =>
  row.name === (row.names === 'source' ? (sourceOf.get(name) ?? name) : name);

/** Whether the samples say anything of that package for that CVE, for all who have that release. */
const isReached = (label: Label): boolean => {
  const [distro = '', release = ''] = label.platform.split('-');
  return (byCve.get(label.cve) ?? []).some(
    ({ affected, withdrawn }) =>
      !withdrawn &&
      affected.some(
        (row) =>
          row.distro === distro &&
          row.release === release &&
          row.channel === null &&
          names(row, label),
      ),
  );
};

/** What the samples lack that would be needed to say anything of a label that they do not reach. */
const lackOf = (label: Label): string => {
  const [distro = '', release = ''] = label.platform.split('-');
  if (label.id.startsWith('GHSA-')) return 'package';
  const rowsOfDistro = (byCve.get(label.cve) ?? [])
    .flatMap(({ affected }) => affected)
    .filter((row) => row.distro === distro);
  if (rowsOfDistro.length === 0) return 'record';
  const rowsOfRelease = rowsOfDistro.filter((row) => row.release === release);
  if (rowsOfRelease.length === 0) return 'release';
  return rowsOfRelease.some((row) => names(row, label)) ? 'channel' : 'name';
};

describe('labels of people', () => {
  test('every image has its platform, or why it has none', () => {
    expect([...new Set(rows.map(({ image }) => image))].sort()).toEqual(
      images.map(({ image }) => image).sort(),
    );
    for (const { platforms, 'why not': why } of images) expect(platforms + why).not.toBe('');
  });

  test('what is one is reported as far as the samples reach, what is none is not', () => {
    const counts = {
      missed: [] as string[],
      reported: [] as string[],
      found: 0,
      spared: 0,
      beyond: 0,
    };
    for (const label of labels) {
      const text = textOf(label);
      if (differences.has(text)) continue;
      const reported = isReported(label);
      if (label.label === 'FP') {
        if (reported) counts.reported.push(text);
        else if (isReached(label)) counts.spared += 1;
        else counts.beyond += 1;
      } else if (isReached(label)) {
        if (reported) counts.found += 1;
        else counts.missed.push(text);
      }
    }
    expect(counts).toEqual({ missed: [], reported: [], found: 470, spared: 92, beyond: 2966 });
  });

  test('what is one and beyond the samples is listed by platform and by what they lack, with the reason', () => {
    const counts = new Map<string, number>();
    for (const label of labels) {
      if (label.label !== 'TP' || differences.has(textOf(label)) || isReached(label)) continue;
      const key = `${label.platform} ${lackOf(label)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const beyond = tableOf<'platform' | 'lacks' | 'labels' | 'reason'>(oracle('label-beyond.tsv'));
    const listed = beyond.map((row) => [`${row.platform} ${row.lacks}`, Number(row.labels)]);
    expect([...counts].sort()).toEqual(listed.sort());
    for (const { reason } of beyond) expect(reason).toMatch(/\w/);
  });

  test('where it is otherwise, that is listed with its reason, and nothing else is', () => {
    const known = new Map(labels.map((label) => [textOf(label), label]));
    for (const [text, reason] of differences) {
      expect(reason).toMatch(/\w/);
      const label = known.get(text);
      if (label === undefined) throw new Error(`there is no label ${text}`);
      expect([text, isReported(label)]).toEqual([text, label.label === 'FP']);
    }
  });
});
