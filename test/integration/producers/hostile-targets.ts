import { createHash } from 'node:crypto';
import { unchecked } from '../../../src/producers/advisories/apt-security/signed-text.ts';
import { createAptSecurity } from '../../../src/producers/advisories/apt-security/source.ts';
import { almaErrata } from '../../../src/producers/advisories/alma-errata/source.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { debianTracker } from '../../../src/producers/advisories/debian-tracker/source.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { kev } from '../../../src/producers/advisories/kev/source.ts';
import { osv } from '../../../src/producers/advisories/osv/source.ts';
import { redhatCsaf } from '../../../src/producers/advisories/redhat-csaf/source.ts';
import { rockyErrata } from '../../../src/producers/advisories/rocky-errata/source.ts';
import { ubuntuNotices } from '../../../src/producers/advisories/ubuntu-notices/source.ts';
import { updateinfoSource } from '../../../src/producers/advisories/updateinfo/source.ts';
import { fileOf, fixture, parsed } from '../../producers/advisories/feed-files.ts';
import { assertSound } from './hostile-checks.ts';
import { changedDocument } from './hostile-documents.ts';
import type { HostileTarget } from './hostile-target.ts';

interface Target {
  source: AdvisorySource;
  document: string;
  /** Of longer ones only the beginning. */
  bytes?: number;
  /** The name that a source reads it by, where that is not its own. */
  name?: string;
  around?: (content: Buffer) => FeedFile[];
  /** How many advisories it can become, where those are not one for each record of it. */
  most?: number;
}

const aptSecurity = createAptSecurity({ verify: unchecked, now: () => new Date('2026-11-25') });

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A suite that vouches for an index, whatever is in it. */
const suiteOf = (index: Buffer): FeedFile =>
  fileOf(
    'InRelease',
    `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Suite: oldstable-security
Codename: bookworm-security
SHA256:
 ${sha256(index)} ${index.length} main/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

-----END PGP SIGNATURE-----
`,
  );

const updateinfoText = fixture('amazon/updateinfo_1.xml.gz');

const targets: Target[] = [
  { source: debianLists, document: 'debian/DSA-list.txt.gz', bytes: 8000 },
  { source: debianLists, document: 'debian/DLA-list.txt.gz', bytes: 8000 },
  { source: debianTracker, document: 'debian/tracker-1.json', name: 'json' },
  { source: debianTracker, document: 'debian/tracker-2.json', name: 'json' },
  { source: ubuntuNotices, document: 'ubuntu/notices.json' },
  { source: kev, document: 'kev/catalogue.json' },
  ...[
    ...['ALSA-2023_4064', 'DSA-3029-1', 'RHSA-2024_8709', 'RLSA-2021_3891', 'UBUNTU-CVE-2014-2901'],
    ...['UBUNTU-CVE-2014-9913', 'USN-5614-1'],
  ].map((name) => ({ source: osv, document: `osv/${name}.json` })),
  { source: updateinfoSource(), document: 'amazon/updateinfo_2023.xml.gz', name: 'updateinfo.xml' },
  {
    source: updateinfoSource(),
    document:
      'rocky/updateinfo/pub/rocky/9/BaseOS/x86_64/os/repodata/aaaa587b7c2316f0b357a284fc32836ceee13fe54e277cc841b30ecefb7cbb42a-updateinfo.xml.gz',
    name: 'updateinfo.xml',
  },
  { source: updateinfoSource(), document: 'amazon/repomd_valid.xml', name: 'repodata/repomd.xml' },
  {
    source: updateinfoSource(),
    document: 'almalinux/modules.yaml',
    around: () => [fileOf('almalinux/updateinfo.xml', updateinfoText)],
  },
  { source: almaErrata, document: 'almalinux/errata/8/errata.full.json' },
  { source: rockyErrata, document: 'rocky/errata-api/page1.json' },
  { source: redhatCsaf, document: 'redhat/vex/2023/cve-2023-6228.reserialised.json.gz' },
  { source: redhatCsaf, document: 'redhat/advisories/2022/rhsa-2022_0011.json' },
  { source: redhatCsaf, document: 'redhat/advisories/deletions.csv' },
  { source: aptSecurity, document: 'apt-security/InRelease' },
  {
    source: aptSecurity,
    document: 'apt-security/main/binary-amd64/Packages.gz',
    bytes: 20_000,
    name: 'main/binary-amd64/Packages',
    most: 29,
    around: (content) => [suiteOf(content)],
  },
];

const targetOf = ({ source, document, bytes, name, around, most }: Target): HostileTarget => ({
  of: source.name,
  document,
  prepare: async () => {
    const original = fixture(document).subarray(0, bytes);
    const filesOf = (content: string | Uint8Array): FeedFile[] => {
      const changed = Buffer.from(content as Uint8Array);
      const read = name ?? document.replace(/\.gz$/, '');
      return [...(around?.(changed) ?? []), fileOf(read, changed)];
    };
    const { advisories } = await parsed(source, filesOf(original));
    const mostOf = most ?? advisories.length;
    await assertSound(source, filesOf(original), mostOf);
    return {
      changed: changedDocument(document, original),
      check: (content) => assertSound(source, filesOf(content), mostOf),
    };
  },
});

/** What each source is given. */
export const sourceTargets: readonly HostileTarget[] = targets.map(targetOf);
