import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { indexInventory } from '../../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../../src/core/advisories/match.ts';
import { unchecked } from '../../../../src/producers/advisories/apt-security/signed-text.ts';
import { createAptSecurity } from '../../../../src/producers/advisories/apt-security/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

const source = createAptSecurity({ verify: unchecked, now: () => new Date('2026-11-25') });
const release = fixture('apt-security/InRelease');
const index = fixture('apt-security/main/binary-amd64/Packages.gz');
const bookworm = [fileOf('InRelease', release), fileOf('main/binary-amd64/Packages.gz', index)];

/** What apt 2.6 would do on a host of the same day. */
const oracle = JSON.parse(
  readFileSync(new URL('../../../fixtures/matching/apt-debian-12-a.json', import.meta.url), 'utf8'),
) as {
  installed: {
    package: string;
    version: string;
    arch: string;
    source: string;
    source_version: string;
  }[];
  expected_upgrades: { package: string; from: string | null; to: string; origins: string[] }[];
};
const isSecurity = (origin: string): boolean => origin.startsWith('Debian-Security:');

const signed = (text: string): string =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n`;

/** A suite with one index of these packages. */
const suite = (packages: string, fields: Record<string, string> = {}): string => {
  const sum = createHash('sha256').update(packages).digest('hex');
  const all = {
    ...{ Origin: 'Debian', Suite: 'oldstable-security', Codename: 'bookworm-security' },
    ...fields,
    SHA256: `\n ${sum} ${packages.length} main/binary-amd64/Packages`,
  };
  return signed(
    Object.entries(all)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
};

const stanza = (name: string, version: string, rest = '', arch = 'amd64'): string =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: ${arch}\n${rest}Description: x\n .\n more: x\n\n`;

const read = async (
  packages: string,
  fields: Record<string, string> = {},
  names = ['InRelease', 'main/binary-amd64/Packages'],
): ReturnType<typeof parsed> =>
  parsed(source, [
    fileOf(names[0] ?? '', suite(packages, fields)),
    fileOf(names[1] ?? '', packages),
  ]);

describe('a suite of security updates', () => {
  test("is one advisory for each source package: Debian's bookworm-security", async () => {
    const { advisories, problems } = await parsed(source, bookworm);
    expect(problems).toEqual([]);
    expect(new Set(advisories.map(({ id }) => id)).size).toBe(advisories.length);
    const kernel = advisories.find(({ affected }) =>
      affected.some(({ name }) => name === 'linux-image-6.1.0-50-amd64'),
    );
    expect(kernel).toMatchObject({
      id: 'bookworm-security/linux-signed-amd64_6.1.176+1',
      title: 'linux-signed-amd64 6.1.176+1',
    });
    expect(kernel?.affected).toContainEqual({
      ...{ distro: 'debian', release: '12', channel: null, names: 'binary', scheme: 'deb' },
      ...{ name: 'linux-image-6.1.0-50-amd64', arch: 'amd64', module: null, note: null },
      ...{ status: 'fixed', fixed: '6.1.176-1' },
    });
  });

  test('says what apt says: every upgrade of a package that is installed, to the same version', async () => {
    const host = indexInventory({
      platform: 'debian-12',
      packages: oracle.installed.map(({ package: name, version, arch, ...rest }) => ({
        ...{ name: name.replace(/:.*/, ''), version, arch },
        ...{ source: rest.source, sourceVersion: rest.source_version },
      })),
    });
    const upgrades = oracle.expected_upgrades
      .filter(({ from, origins }) => from !== null && origins.some(isSecurity))
      .map((one) => `${one.package} ${one.from} ${one.to}`);
    const { advisories } = await parsed(source, bookworm);
    const pending = advisories
      .flatMap((advisory) => matchAdvisory(advisory, host))
      .filter(({ state }) => state === 'pending')
      .map((finding) => `${finding.package} ${finding.installed} ${finding.fixed}`);
    expect(upgrades.length).toBeGreaterThan(20);
    expect(pending.sort()).toEqual(upgrades.sort());
  });

  test('offers the newest of what lies there in several versions', async () => {
    const { advisories } = await read(
      stanza('foo', '1.10-1') +
        stanza('foo', '1.9-1') +
        stanza('foo-doc', '1.9-1', 'Source: foo\n', 'all'),
    );
    expect(
      advisories.map(({ id, affected }) => [id, ...affected.map(({ name, arch }) => [name, arch])]),
    ).toEqual([
      ['bookworm-security/foo_1.10-1', ['foo', 'amd64']],
      ['bookworm-security/foo_1.9-1', ['foo-doc', null]],
    ]);
  });

  test.each([
    [{ Origin: 'Ubuntu', Suite: 'jammy-security', Codename: 'jammy' }, 'ubuntu', '22.04', null],
    [
      { Origin: 'UbuntuESM', Suite: 'focal-infra-security', Codename: 'focal' },
      'ubuntu',
      '20.04',
      'esm-infra',
    ],
    [
      { Origin: 'UbuntuESMApps', Suite: 'focal-apps-security', Codename: 'focal' },
      'ubuntu',
      '20.04',
      'esm-apps',
    ],
    [{ Suite: 'oldoldstable/updates', Codename: 'buster' }, 'debian', '10', null],
    [{ Codename: 'other-security', Version: '13' }, 'debian', '13', null],
  ])('%j', async (fields, distro, number, channel) => {
    const { advisories } = await read(stanza('foo', '1'), fields);
    expect(advisories[0]?.affected).toMatchObject([{ distro, release: number, channel }]);
  });

  test('lies as on a mirror or as apt keeps it, beside suites that are none', async () => {
    const packages = stanza('foo', '1');
    const other = suite(packages, { Suite: 'oldstable', Codename: 'bookworm' });
    const { advisories, problems } = await parsed(source, [
      fileOf('deb.debian.org_debian_dists_bookworm_InRelease', other),
      fileOf('deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages', packages),
      fileOf('security_dists_bookworm-security_InRelease', suite(packages)),
      fileOf('security_dists_bookworm-security_main_binary-amd64_Packages', packages),
      fileOf('tree/dists/x/InRelease', suite(packages, { Codename: 'trixie-security' })),
      fileOf('tree/dists/x/main/binary-amd64/Packages', packages),
      fileOf('tree/dists/x/main/binary-amd64/Release', 'x'),
    ]);
    expect(problems).toEqual([]);
    expect(advisories.map(({ id }) => id)).toEqual([
      'bookworm-security/foo_1',
      'trixie-security/foo_1',
    ]);
    const none = await parsed(source, [fileOf('InRelease', other)]);
    expect(none.problems).toMatchObject([
      { reason: 'no suite has security updates: InRelease: its Suite is "oldstable"' },
    ]);
  });
});

describe('what is not to be trusted', () => {
  test('an index that is not the one of InRelease', async () => {
    const changed = Buffer.from(index);
    changed[1000] = 0x41;
    for (const [content, reason] of [
      [changed, 'its checksum is not the one in its InRelease'],
      [index.subarray(0, 1000), 'it has 1000 bytes; its InRelease says 2523192'],
    ] as const) {
      const { advisories, problems } = await parsed(source, [
        fileOf('InRelease', release),
        fileOf('main/binary-amd64/Packages', content),
      ]);
      expect(advisories).toEqual([]);
      expect(problems).toMatchObject([{ file: 'main/binary-amd64/Packages', reason }]);
    }
    const { problems } = await parsed(source, [
      fileOf('InRelease', release),
      fileOf('main/binary-amd64/by-hash/Packages', index),
    ]);
    expect(problems).toMatchObject([
      { reason: 'main/binary-amd64/by-hash/Packages is not in its InRelease' },
    ]);
  });

  test('a suite whose signature is not good, and only what is signed is read of one that is', async () => {
    const refused = createAptSecurity({
      verify: () => Promise.resolve({ ok: false, reason: 'its signature is not good' }),
      now: () => new Date('2026-11-25'),
    });
    const { advisories, problems } = await parsed(refused, bookworm);
    expect(advisories).toEqual([]);
    expect(problems).toMatchObject([
      { file: 'InRelease', reason: 'its signature is not good' },
      { reason: 'there is no InRelease before it that is good' },
    ]);
    const content = Buffer.from('Origin: Debian\nSuite: x-security\nCodename: bookworm-security\n');
    const less = createAptSecurity({
      verify: () => Promise.resolve({ ok: true, content }),
      now: () => new Date('2026-11-25'),
    });
    expect((await parsed(less, bookworm)).problems).toMatchObject([
      { reason: 'main/binary-amd64/Packages is not in its InRelease' },
    ]);
  });

  test('an index as apt keeps it to save room, with what unpacks it', async () => {
    const names = ['a_InRelease', 'a_main_binary-amd64_Packages.lz4'];
    const { advisories, problems } = await read(stanza('a', '1'), {}, names);
    expect(advisories).toEqual([]);
    expect(problems).toMatchObject([
      { file: names[1], reason: expect.stringContaining('apt-helper cat-file') },
    ]);
  });

  test('an old mirror is told', async () => {
    const later = createAptSecurity({ verify: unchecked, now: () => new Date('2026-11-29') });
    const { advisories, problems } = await parsed(later, bookworm);
    expect(problems).toMatchObject([
      {
        file: 'InRelease',
        reason: 'it was valid until 2026-11-28T00:53:02.000Z: the mirror is old',
      },
    ]);
    expect(advisories.length).toBeGreaterThan(400);
  });

  test.each([
    ['no message', 'Origin: Debian\n', 'it is no signed message'],
    ['cut off', signed('Origin: Debian').slice(0, 80), 'it is no signed message'],
    [
      'an origin that is not known',
      suite('', { Origin: 'Else' }),
      'no suite has security updates: InRelease: its Origin is "Else"',
    ],
    [
      'a release that is not known',
      suite('', { Codename: 'hobbit-security' }),
      'no suite has security updates: InRelease: there is no release hobbit-security',
    ],
  ])('InRelease: %s', async (_, text, reason) => {
    const { problems } = await parsed(source, [fileOf('InRelease', text)]);
    expect(problems).toMatchObject([{ reason }]);
  });

  test('stanzas that cannot be used are named, and the others taken', async () => {
    const { advisories, problems } = await read(
      stanza('../x', '1') +
        stanza('foo', 'x') +
        stanza('foo', '1', '', '!') +
        stanza('foo', '1', 'Source: foo (x y)\n') +
        'Package: foo\n\n' +
        stanza('good', '1'),
    );
    expect(advisories.map(({ title }) => title)).toEqual(['foo 1', 'good 1']);
    expect(problems).toMatchObject([
      { record: '1 (../x)', field: 'Package' },
      { record: '2 (foo)', field: 'Version' },
      { record: '3 (foo)', field: 'Architecture' },
      { record: '5 (foo)', field: 'Version' },
    ]);
  });
});

describe('an index without its InRelease', () => {
  const lone = [fileOf('Packages.gz', index)];

  test('is of the release that somebody names by hand', async () => {
    const alone = { distro: 'debian', release: '12' } as const;
    const byHand = createAptSecurity({ verify: unchecked, now: () => new Date(), alone });
    const { advisories, problems } = await parsed(byHand, [...lone]);
    expect(problems).toEqual([]);
    const { advisories: whole } = await parsed(source, [...bookworm]);
    expect(advisories.map(({ affected }) => affected)).toEqual(
      whole.map(({ affected }) => affected),
    );
    // Beside one that names it, it counts as that says.
    const { problems: damaged } = await parsed(byHand, [
      fileOf('InRelease', release),
      fileOf('main/binary-amd64/Packages', 'Package: a\n'),
    ]);
    expect(damaged.map(({ reason }) => reason).join()).toContain('its InRelease says');
  });

  test('is none where nobody does', async () => {
    const { advisories, problems } = await parsed(source, [...lone]);
    expect(advisories).toEqual([]);
    expect(problems[0]?.reason).toContain('there is no InRelease before it');
  });
});
