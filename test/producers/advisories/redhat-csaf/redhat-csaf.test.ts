import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../../src/core/advisories/advisory.ts';
import { redhatCsaf } from '../../../../src/producers/advisories/redhat-csaf/source.ts';
import { storedFile, fixture } from '../stored-files.ts';
import { parsed } from '../feed-files.ts';

const one = async (path: string): Promise<Advisory> => {
  const { advisories, problems } = await parsed(redhatCsaf, [await fixture(`redhat/${path}`)]);
  expect(problems).toEqual([]);
  expect(advisories).toHaveLength(1);
  return advisories[0] as Advisory;
};

/** Each different kind of row with the names that it is about. */
const kindsOf = ({ affected }: Advisory): Record<string, string[]> => {
  const kinds: Record<string, string[]> = {};
  for (const { release, channel, names, module, status, fixed, note, name } of affected) {
    const detail = [channel, module, fixed, note].filter((text) => text !== null);
    const kind = [release, status, names, ...detail].join(' ');
    const known = kinds[kind] ?? [];
    kinds[kind] = known.includes(name) ? known : [...known, name];
  }
  return kinds;
};

describe('advisories', () => {
  test('each product stream is a release and a channel of its own', async () => {
    const advisory = await one('advisories/2024/rhsa-2024_0811.json.gz');
    expect(advisory).toMatchObject({
      feed: 'redhat-csaf',
      id: 'RHSA-2024:0811',
      kind: 'security',
      cves: ['CVE-2023-28486', 'CVE-2023-28487', 'CVE-2023-42465'],
      published: '2024-02-14T00:54:45.000Z',
      severity: 'medium',
      vendorSeverity: 'Moderate',
    });
    expect(Object.keys(kindsOf(advisory)).sort()).toEqual([
      '8 fixed binary 1.9.5p2-1.el8_9',
      '8.6 fixed binary eus 1.9.5p2-1.el8_6',
      '8.8 fixed binary eus 1.9.5p2-1.el8_8',
      '9 fixed binary 1.9.5p2-10.el9_3',
      '9.0 fixed binary eus 1.9.5p2-7.el9_0.4',
      '9.2 fixed binary eus 1.9.5p2-9.el9_2.2',
    ]);
    expect(advisory.affected.find(({ name }) => name === 'sudo')).toEqual({
      distro: 'rhel',
      release: '9.0',
      channel: 'eus',
      names: 'binary',
      name: 'sudo',
      arch: 'aarch64',
      module: null,
      status: 'fixed',
      fixed: '1.9.5p2-7.el9_0.4',
      note: null,
      scheme: 'rpm',
    });
  });

  test('modules', async () => {
    const { affected } = await one('advisories/2023/rhsa-2023_3821.json.gz');
    expect(new Set(affected.map(({ module }) => module))).toEqual(new Set(['ruby:2.7']));
    expect(affected.filter(({ names, arch }) => names === 'source' || arch === 'src')).toEqual([]);
  });

  test('a document without purls; epochs', async () => {
    const advisory = await one('advisories/2022/rhsa-2022_0011.json');
    expect(kindsOf(advisory)).toEqual({
      '7.6 fixed binary aus 1:0.17-65.el7_6': ['telnet', 'telnet-debuginfo', 'telnet-server'],
      '7.6 fixed binary e4s 1:0.17-65.el7_6': ['telnet', 'telnet-debuginfo', 'telnet-server'],
      '7.6 fixed binary tus 1:0.17-65.el7_6': ['telnet', 'telnet-debuginfo', 'telnet-server'],
    });
  });

  test('one that names its source alone', async () => {
    expect(kindsOf(await one('advisories/2024/rhsa-2024_6163.json.gz'))).toEqual({
      '9 fixed source 3.9.18-3.el9_4.5': ['python3.9'],
    });
  });
});

describe('VEX', () => {
  test('what is fixed, and what is not and why', async () => {
    expect(kindsOf(await one('vex/2023/cve-2023-6228.reserialised.json.gz'))).toEqual({
      '8 fixed binary 4.0.9-32.el8_10': [
        'libtiff',
        'libtiff-debuginfo',
        'libtiff-debugsource',
        'libtiff-devel',
        'libtiff-tools',
        'libtiff-tools-debuginfo',
      ],
      '9 fixed binary 4.4.0-12.el9': [
        'libtiff',
        'libtiff-debuginfo',
        'libtiff-debugsource',
        'libtiff-devel',
        'libtiff-tools',
        'libtiff-tools-debuginfo',
      ],
      '6 affected binary end-of-life': ['libtiff', 'libtiff-devel', 'libtiff-static'],
      '6 affected source end-of-life': ['libtiff'],
      '7 affected binary end-of-life': [
        'compat-libtiff3',
        'libtiff',
        'libtiff-devel',
        'libtiff-static',
        'libtiff-tools',
      ],
      '7 affected source end-of-life': ['compat-libtiff3', 'libtiff'],
      '8 affected binary postponed': ['compat-libtiff3'],
    });
  });

  test('the layout of 2026 names sources; a minor release has what a later one fixed', async () => {
    expect(kindsOf(await one('vex-v2/2023/cve-2023-6228.reserialised.json.gz'))).toEqual({
      '8 fixed source 4.0.9-32.el8_10': ['libtiff'],
      '9 fixed source 4.4.0-12.el9': ['libtiff'],
      '6 affected source els end-of-life': ['libtiff'],
      '7 affected source els end-of-life': ['compat-libtiff3', 'libtiff'],
      '8 affected source will not fix': ['compat-libtiff3'],
    });
  });

  test('what is not affected, by source names in old documents', async () => {
    const samba = kindsOf(await one('vex/2023/cve-2023-4154.json.gz'));
    expect(samba['9 not-affected binary']).toContain('libsmbclient');
    expect(kindsOf(await one('vex/2021/cve-2021-0084.json'))['7 not-affected source']).toEqual([
      'kernel',
      'kernel-alt',
      'kernel-rt',
    ]);
  });

  test('Flatpaks and other languages are not of the host; a module without a version is one', async () => {
    expect(kindsOf(await one('vex/2026/cve-2026-7323.reserialised.json.gz'))).toEqual({
      '10 affected binary': ['firefox'],
    });
    expect(kindsOf(await one('vex/2024/cve-2024-24786-illegal-module.json'))).toEqual({
      '8 affected source go-toolset:rhel8': ['go-toolset'],
    });
    expect((await one('vex/2024/cve-2024-0001.reserialised.json.gz')).affected).toEqual([]);
  });
});

/** A document of one package, as part of a module or directly of a product. */
const made = (change: (document: ReturnType<typeof whole>) => void): string => {
  const document = whole();
  change(document);
  return JSON.stringify(document);
};
const product = (product_id: string, helper: Record<string, string>) => ({
  product: { product_id, name: product_id, product_identification_helper: helper },
});
const relationship = (id: string, part: string, of: string) => ({
  full_product_name: { product_id: id, name: id },
  product_reference: part,
  relates_to_product_reference: of,
});
const whole = () => ({
  document: {
    title: 'nodejs',
    tracking: { id: 'RHBA-2024:1', status: 'final', current_release_date: '2024-08-10T00:00:00Z' },
  },
  product_tree: {
    branches: [
      product('P', { cpe: 'cpe:/a:redhat:enterprise_linux:8::appstream' }),
      product('M', { purl: 'pkg:rpmmod/redhat/nodejs@18:8080020230:63b34585' }),
      product('C', { purl: 'pkg:rpm/redhat/nodejs@18.1%2B2-3.el8?arch=x86_64&epoch=1' }),
    ],
    relationships: [relationship('P:M', 'M', 'P'), relationship('P:M:C', 'C', 'P:M')],
  },
  vulnerabilities: [{ product_status: { fixed: ['P:M:C'] } }],
});

describe('sources beside the packages that are built of them', () => {
  const [name, evr] = [/^[^@?]+/, /@([^?]+)/];
  /** What the rows are of a document that names these packages (`name[@version]?arch=…`) so. */
  const rowsFor = async (status: Record<string, string[]>): Promise<string[]> => {
    const components = [...new Set(Object.values(status).flat())];
    const text = JSON.stringify({
      document: { tracking: { id: 'CVE-2024-1000', status: 'final' } },
      product_tree: {
        branches: [
          product('P', { cpe: 'cpe:/o:redhat:enterprise_linux:9' }),
          ...components.map((one) => product(one, { purl: `pkg:rpm/redhat/${one}` })),
        ],
        relationships: components.map((one) => relationship(`P:${one}`, one, 'P')),
      },
      vulnerabilities: [
        {
          product_status: Object.fromEntries(
            Object.entries(status).map(([word, all]) => [word, all.map((one) => `P:${one}`)]),
          ),
        },
      ],
    });
    const { advisories, problems } = await parsed(redhatCsaf, [storedFile('a.json', text)]);
    expect(problems).toEqual([]);
    return (advisories[0]?.affected ?? []).map(
      (row) => `${row.status} ${row.names} ${row.name}${row.fixed === null ? '' : ` ${row.fixed}`}`,
    );
  };

  test.each([
    ['perl?arch=src', 'perl-DBI'],
    ['kernel?arch=src', 'kernel-rt-core'],
    ['python3?arch=src', 'python3-pip'],
    ['libtiff?arch=src', 'libtiff'],
  ])('%s is affected, beside %s', async (source, binary) => {
    const called = name.exec(source)?.[0];
    for (const [word, status] of [
      ['known_affected', 'affected'],
      ['known_not_affected', 'not-affected'],
    ] as const)
      expect(await rowsFor({ [word]: [source, binary] })).toEqual([
        `${status} source ${called}`,
        `${status} binary ${binary}`,
      ]);
  });

  test.each([
    // All that is built of it is named with the fix.
    ['libtiff@4.0-2.el9?arch=src', 'libtiff@4.0-2.el9?arch=x86_64', false],
    ['perl@5.32-2.el9?arch=src&epoch=4', 'perl-libs@5.32-2.el9?arch=x86_64&epoch=4', false],
    // Another one has the same version, or a name that begins alike.
    ['perl@1.6-2.el9?arch=src', 'perl-DBI@1.7-2.el9?arch=x86_64', true],
    ['mesa@1.6-2.el9?arch=src', 'libdrm@1.6-2.el9?arch=x86_64', true],
  ])('%s is fixed, beside %s', async (source, binary, isRow) => {
    const rows = await rowsFor({ fixed: [source, binary] });
    expect(rows.filter((one) => one.includes('source'))).toHaveLength(isRow ? 1 : 0);
    expect(rows.find((one) => one.includes('binary'))).toContain(evr.exec(binary)?.[1]);
  });

  test('a source that is fixed is not also without a fix', async () => {
    const fixed = ['libtiff@4.0-2.el9?arch=src', 'libtiff@4.0-2.el9?arch=x86_64'];
    expect(await rowsFor({ fixed, known_affected: ['libtiff?arch=src', 'libtiff'] })).toEqual([
      'fixed binary libtiff 4.0-2.el9',
    ]);
  });
});

describe('products', () => {
  test('a package of a module that is part of a product', async () => {
    const { advisories, problems } = await parsed(redhatCsaf, [
      storedFile(
        'a.json',
        made(() => undefined),
      ),
    ]);
    expect(problems).toEqual([]);
    expect(advisories[0]).toMatchObject({
      kind: 'bugfix',
      affected: [{ name: 'nodejs', module: 'nodejs:18', fixed: '1:18.1+2-3.el8', release: '8' }],
    });
  });

  test('what the tree does not have is told, once for all of a kind', async () => {
    const text = made(({ vulnerabilities: [first] }) => {
      first?.product_status.fixed.push('P:x', 'P:y');
    });
    const { advisories, problems } = await parsed(redhatCsaf, [storedFile('a.json', text)]);
    expect(advisories[0]?.affected).toHaveLength(1);
    expect(problems).toEqual([
      {
        file: 'a.json',
        record: 'RHBA-2024:1',
        field: 'vulnerabilities.0.product_status.fixed',
        reason: 'not in the product tree: "P:x" and 1 more',
      },
    ]);
  });

  test('relationships in a circle', async () => {
    const text = made(({ product_tree }) => {
      product_tree.relationships.push(relationship('P', 'C', 'P:M'));
    });
    const { advisories, problems } = await parsed(redhatCsaf, [storedFile('a.json', text)]);
    expect(advisories).toEqual([]);
    expect(problems[0]?.reason).toMatch(/not in the product tree/);
  });

  test.each([
    ['cpe:/a:redhat:rhel_eus:9.2::appstream', '9.2', 'eus'],
    ['cpe:/o:redhat:rhel_els:7', '7', 'els'],
    ['cpe:/a:redhat:rhel_extras:7', '7', 'extras'],
    ['cpe:/a:redhat:rhel_extras_rt:7', '7', null],
    ['cpe:/a:redhat:rhel_extras_sap_hana:7', '7', null],
    ['cpe:/o:redhat:enterprise_linux:10.1', '10', null],
    ['cpe:/a:redhat:openstack:17.1::el9', '9', 'openstack-17.1'],
    ['cpe:/a:redhat:rhel_dotnet:6.0::el7', '7', 'rhel-dotnet-6.0'],
    ['cpe:/a:redhat:rhev_manager:4.4:el8', '8', 'rhev-manager-4.4'],
  ])('%s', async (cpe, release, channel) => {
    const text = made(({ product_tree }) => {
      product_tree.branches[0] = product('P', { cpe });
    });
    const { advisories } = await parsed(redhatCsaf, [storedFile('a.json', text)]);
    expect(advisories[0]?.affected[0]).toMatchObject({ distro: 'rhel', release, channel });
  });

  test.each(['cpe:/a:redhat:jboss_fuse:7', 'cpe:/a:other:enterprise_linux:9', ''])(
    '"%s" is no product of packages on a host',
    async (cpe) => {
      const text = made(({ product_tree }) => {
        product_tree.branches[0] = product('P', { cpe });
      });
      const { advisories, problems } = await parsed(redhatCsaf, [storedFile('a.json', text)]);
      expect(advisories[0]?.affected).toEqual([]);
      expect(problems).toEqual([]);
    },
  );
});

describe('what was taken back', () => {
  test('a document that says so', async () => {
    expect(await one('vex/1999/cve-1999-0001-deleted.json')).toMatchObject({
      id: 'CVE-2023-0118',
      withdrawn: true,
      affected: [],
    });
  });

  test('deletions.csv', async () => {
    const { advisories, problems } = await parsed(redhatCsaf, [
      await fixture('redhat/advisories/deletions.csv'),
    ]);
    expect(problems).toEqual([]);
    expect(advisories.map(({ id, withdrawn }) => [id, withdrawn])).toEqual([
      ['RHSA-2023:6202', true],
      ['RHSA-2023:7434', true],
      ['RHSA-2020:1344', true],
    ]);
  });

  test.each([
    ['2024-08-11T00:00:00+00:00', [false, true]],
    ['2024-08-09T00:00:00+00:00', [false]],
  ])('a document of 10 August, deleted at %s', async (time, expected) => {
    const deletions = storedFile('deletions.csv', `"2024/rhba-2024_1.json","${time}"\nnonsense\n`);
    const document = storedFile(
      '2024/rhba-2024_1.json',
      made(() => undefined),
    );
    for (const files of [
      [document, deletions],
      [deletions, document],
    ]) {
      const { advisories, problems } = await parsed(redhatCsaf, [...files]);
      expect(advisories.map(({ withdrawn }) => withdrawn)).toEqual(expected);
      expect(problems).toEqual([
        expect.objectContaining({ file: 'deletions.csv', record: 'line 2' }),
      ]);
    }
  });
});
