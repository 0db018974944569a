import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import type { Finding } from '../../../src/core/advisories/match.ts';
import { mergeFindings } from '../../../src/core/advisories/merge-findings.ts';
import { errorText } from '../../../src/core/error-text.ts';
import { compareDebVersions } from '../../../src/core/versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../../../src/core/versions/compare-rpm-versions.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { debianTracker } from '../../../src/producers/advisories/debian-tracker/source.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { osv } from '../../../src/producers/advisories/osv/source.ts';
import { redhatCsaf } from '../../../src/producers/advisories/redhat-csaf/source.ts';
import { updateinfoSource } from '../../../src/producers/advisories/updateinfo/source.ts';
import { parsed } from '../../producers/advisories/feed-files.ts';
import { oracle, tableOf } from './oracle-files.ts';
import type { Bucket } from './trivy-feeds.ts';
import {
  cpesIn,
  debianFiles,
  knownIn,
  redHatRepository,
  redHatVex,
  repositoryOf,
  ubuntuRecords,
} from './trivy-feeds.ts';

interface Package {
  Name: string;
  Version: string;
  Release?: string;
  Epoch?: number;
  Arch?: string;
  SrcName?: string;
  SrcVersion?: string;
  Modularitylabel?: string;
}

interface Case {
  name: string;
  args: { osVer: string; pkgs: Package[] };
  fixtures: Record<string, Bucket[]>;
  want?:
    | {
        VulnerabilityID: string;
        PkgName: string;
        InstalledVersion: string;
        FixedVersion?: string;
        VendorIDs?: string[];
        Vulnerability?: { Severity: string };
      }[]
    | null;
}

const cases = Object.entries(
  JSON.parse(oracle('trivy-detector-cases.json.gz')) as Record<string, Case[]>,
).flatMap(([distributor, all]) =>
  all.map((one) => ({ ...one, distributor, title: `${distributor}: ${one.name}` })),
);

const notReproduced = new Map(
  tableOf<'case' | 'ours' | 'reason'>(oracle('trivy-not-reproduced.tsv')).map((row) => [
    row.case,
    row,
  ]),
);

const distros: Record<string, string> = {
  ...{ alma: 'almalinux', amazon: 'amzn', debian: 'debian', oracle: 'ol', redhat: 'rhel' },
  ...{ rocky: 'rocky', ubuntu: 'ubuntu' },
};

/** What the distributor would publish of all that trivy knows in that case. */
const feedsOf = ({
  distributor,
  fixtures,
}: (typeof cases)[number]): [AdvisorySource, FeedFile[]][] => {
  const known = knownIn(fixtures);
  switch (distributor) {
    case 'debian': {
      const { tracker, list } = debianFiles(known);
      return [
        [debianTracker, [tracker]],
        [debianLists, [list]],
      ];
    }
    case 'ubuntu':
      return [[osv, ubuntuRecords(known)]];
    case 'redhat': {
      const cpes = cpesIn(fixtures);
      return [
        [updateinfoSource(), [redHatRepository(known, cpes)]],
        [redhatCsaf, redHatVex(known, cpes)],
      ];
    }
    default:
      return [[updateinfoSource(), [repositoryOf(known)]]];
  }
};

const isDeb = (distributor: string): boolean => ['debian', 'ubuntu'].includes(distributor);

const installedOf = (one: Package, distributor: string): InventoryPackage => {
  const { Name: name, Version, Release, Epoch = 0, Arch: arch = '', SrcName, SrcVersion } = one;
  const release = Release === undefined ? '' : `-${Release}`;
  const version = `${Epoch === 0 ? '' : `${Epoch}:`}${Version}${release}`;
  const source =
    isDeb(distributor) && SrcName !== undefined
      ? { source: SrcName, sourceVersion: SrcVersion ?? version }
      : {};
  const module = one.Modularitylabel ?? '';
  return { name, arch, version, ...source, module: module === '' ? null : module };
};

interface Answer {
  cve: string;
  package: string;
  installed: string;
  fixed: string | null;
  advisory?: string;
  severity?: string;
}

/** One answer for each CVE, as trivy gives it: the newest fix counts. */
const answersOf = (findings: readonly Finding[], distributor: string): Answer[] => {
  const compare = isDeb(distributor) ? compareDebVersions : compareRpmVersions;
  const answers = new Map<string, Answer>();
  for (const one of findings) {
    if (one.state === 'applied') continue;
    for (const cve of one.cves) {
      const key = `${one.package} ${cve}`;
      const { package: name, installed, fixed, advisory, severity } = one;
      const known = answers.get(key);
      if (known === undefined || compare(fixed ?? '', known.fixed ?? '') > 0)
        answers.set(key, { cve, package: name, installed, fixed, advisory, severity });
    }
  }
  return [...answers.values()].sort((a, b) => a.cve.localeCompare(b.cve));
};

const solve = async (one: (typeof cases)[number]): Promise<Answer[]> => {
  const { distributor, args } = one;
  const advisories: Advisory[] = [];
  for (const [source, files] of feedsOf(one)) {
    const read = await parsed(source, files);
    expect(read.problems).toEqual([]);
    advisories.push(...read.advisories);
  }
  const host = indexInventory({
    platform: `${distros[distributor]}-${args.osVer}`,
    packages: args.pkgs.map((each) => installedOf(each, distributor)),
  });
  const findings = advisories.flatMap((each) => matchAdvisory(each, host));
  return answersOf(mergeFindings(findings), distributor);
};

/** What trivy answers; of how bad it is and of the advisory only what it says. */
const wanted = ({ want }: Case): Answer[] =>
  (want ?? [])
    .map((one) => {
      const severity = /Severity(\w+)\./.exec(one.Vulnerability?.Severity ?? '')?.[1];
      const [advisory] = one.VendorIDs ?? [];
      return {
        ...{ cve: one.VulnerabilityID, package: one.PkgName, installed: one.InstalledVersion },
        fixed: one.FixedVersion === undefined || one.FixedVersion === '' ? null : one.FixedVersion,
        ...(advisory === undefined ? {} : { advisory }),
        ...(severity === undefined ? {} : { severity: severity.toLowerCase() }),
      };
    })
    .sort((a, b) => a.cve.localeCompare(b.cve));

const textOf = (answers: readonly Answer[]): string =>
  answers.map((one) => `${one.cve} ${one.package} ${one.fixed}`).join(', ') || 'nothing';

describe("answers of trivy's authors", () => {
  test.each(cases)('$title', async (one) => {
    const theirs = wanted(one);
    const instead = notReproduced.get(one.title);
    if (instead === undefined) {
      const answers = await solve(one);
      expect(answers).toHaveLength(theirs.length);
      expect(answers).toMatchObject(theirs);
    } else {
      const ours = await solve(one).then(
        textOf,
        (error: unknown) => `refused: ${errorText(error)}`,
      );
      expect(ours).toBe(instead.ours);
      expect(ours).not.toBe(textOf(theirs));
    }
  });

  test('what is listed as not reproduced is among the cases, with its reason', () => {
    const titles = new Set(cases.map(({ title }) => title));
    expect(titles.size).toBe(15);
    for (const [title, { reason }] of notReproduced) {
      expect(titles).toContain(title);
      expect(reason).toMatch(/\w/);
    }
  });
});
