import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { registerMatch } from '../../../../src/cli/local/match/match.ts';
import { readInventory } from '../../../../src/cli/local/match/read-inventory.ts';
import { errorText } from '../../../../src/core/error-text.ts';
import { FeedError } from '../../../../src/producers/advisories/feed-error.ts';
import { FetchError } from '../../../../src/producers/advisories/fetch/fetch-error.ts';
import { advisorySources } from '../../../../src/producers/advisories/sources.ts';
import { fileOf } from '../../../producers/advisories/feed-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'gs-match-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const put = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

const status = [
  'Package: libssl3\nStatus: hold ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.15-1~deb12u1\n',
  'Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n',
].join('\n');

/** A stanza of a package `a`, packed by xz, zstd and bzip2. */
const packedStatus = {
  xz: '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ABEAEBdACgYSGbb2jCF/hberuUMjymcYGhUsJU8HC1t3+8klGcl7hk/wvwP3rFM+bhZCuBWllp74Yr6ZNqFL6Aj9LYkAAAApDB4stxyiPMAAVxFbBI+MB+2830BAAAAAARZWg==',
  zst: 'KLUv/QRYKQIAUGFja2FnZTogYQpTdGF0dXM6IGluc3RhbGwgb2sgaW5zdGFsbGVkCkFyY2hpdGVjdHVyZTogYWxsClZlcnNpb246IDEKmhmitg==',
  bz2: 'QlpoOTFBWSZTWQNnFqEAAAhfgAAQQAAgECAASQAu7Z4AIABUNTRoBoAaDSmynkmAJtEj+woGINmw3IBKNByecRo0nldRFP3RiUjcN5tblbYQLFK4HxdyRThQkANnFqE=',
};

const list = [
  '[29 Mar 2025] DSA-6000-1 openssl - security update',
  '\t{CVE-2025-1000}',
  '\t[bookworm] - openssl 3.0.17-1~deb12u2',
  '\t[nosuch] - openssl 1',
  '[29 Mar 2024] DSA-5999-1 openssl - security update',
  '\t[bookworm] - openssl 3.0.13-1~deb12u1',
  '',
].join('\n');

const tracker = JSON.stringify({
  openssl: {
    'CVE-2025-1000': {
      releases: {
        bookworm: {
          ...{ status: 'resolved', fixed_version: '0', urgency: 'unimportant' },
          repositories: { bookworm: '3.0.15-1~deb12u1' },
        },
      },
    },
  },
});

const update = (id: string, type: string, name: string, version: string): string =>
  `<update type="${type}" status="final"><id>${id}</id><pkglist><collection><package name="${name}" epoch="0" version="${version}" release="2.el9" arch="x86_64"/></collection></pkglist></update>`;
const epel = `<updates><update type="security" status="stable"><id>FEDORA-EPEL-2026-1</id><pkglist><collection short="EPEL-9"><package name="bash" epoch="0" version="5.1" release="2.el9" arch="x86_64"/></collection></pkglist></update></updates>`;
const updates = `<updates>${[
  update('ALSA-2026:1', 'security', 'bash', '5.1'),
  update('ALBA-2026:2', 'bugfix', 'bash', '5.1'),
  update('ALEA-2026:3', 'enhancement', 'zip', '3.0'),
].join('')}</updates>`;

interface Ran {
  output: string;
  warnings: string;
  fetched: unknown[];
}
const begin = async (result: Ran, argv: readonly string[]): Promise<void> => {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  registerMatch(program, {
    sources: (place) => advisorySources(place === null ? null : { ...place, channel: null }),
    // eslint-disable-next-line @typescript-eslint/require-await
    open: async function* (path) {
      if (path === '/empty') yield fileOf('all.json', '[]');
      if (path === '/epel9') yield fileOf('updateinfo.xml', epel);
      if (path === '/el9') yield fileOf('updateinfo.xml', updates);
      if (path === '/tracker') yield fileOf('data/json', tracker);
      if (['/empty', '/el9', '/epel9', '/tracker'].includes(path)) return;
      yield fileOf('DSA-list', list);
      if (path === '/damaged') throw new FeedError('lists.tar', 'it ends too early');
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    fetch: async (source, address) => {
      if (address.url.endsWith('/gone')) throw new FetchError(address.url, 'it is not there (404)');
      result.fetched.push({ source, ...address });
      return {
        directory: '/fetched',
        problems: [],
        // eslint-disable-next-line @typescript-eslint/require-await
        remove: async () => void result.fetched.push('removed'),
      };
    },
    write: (text) => (result.output += text),
    warn: (text) => (result.warnings += text),
  });
  await program.parseAsync(['match', ...argv], { from: 'user' });
};
const run = async (...argv: string[]): Promise<Ran> => {
  const result: Ran = { output: '', warnings: '', fetched: [] };
  await begin(result, argv);
  return result;
};
/** The same where it fails: what was written before that, and how it failed. */
const tried = async (...argv: string[]): Promise<Ran & { failure: string }> => {
  const result = { output: '', warnings: '', fetched: [], failure: '' };
  await begin(result, argv).catch((error: unknown) => (result.failure = errorText(error)));
  return result;
};

const usual = ['--platform', 'debian-12', '--inventory', put('status', status)];
const feed = ['--feed', 'debian-lists=/lists'];

describe('groundswell match', () => {
  test('claims nothing for what comes from others under a name of the distribution’s, and says so', async () => {
    const of = (name: string, version: string, repository: string): object => ({
      ...{ name, arch: 'amd64', version, repository },
    });
    const base = of('base-files', '12.4+deb12u11', 'Debian');
    const inventory = put(
      'others.json',
      JSON.stringify([base, of('openssl', '3.0.15-1', 'Acme'), of('curl', '8-1', 'Acme')]),
    );
    const asked = ['--platform', 'debian-12', '--inventory', inventory, ...feed, '--json'];
    const { output, warnings } = await run(...asked);
    expect(JSON.parse(output)).toEqual([]);
    expect(warnings).toContain(
      'passed over, for they come from other repositories than those of debian-12: openssl (Acme), curl (Acme)\n',
    );
  });

  test('prints every finding as JSON, and what could not be read beside it', async () => {
    const { output, warnings } = await run(...usual, ...feed, '--json');
    expect(JSON.parse(output)).toEqual([
      {
        ...{ feed: 'debian-lists', advisory: 'DSA-6000-1', kind: 'security' },
        cves: ['CVE-2025-1000'],
        ...{ package: 'libssl3', arch: 'amd64', installed: '3.0.15-1~deb12u1' },
        ...{ fixed: '3.0.17-1~deb12u2', state: 'pending', severity: 'unknown' },
        ...{ vendorSeverity: null, channel: null },
        why: '3.0.15-1~deb12u1 (of source openssl) is older than 3.0.17-1~deb12u2; it is held',
      },
      expect.objectContaining({ advisory: 'DSA-5999-1', state: 'applied' }),
    ]);
    expect(warnings).toBe('DSA-list, DSA-6000-1 (line 4), release: there is no release nosuch\n');
  });

  test('says what two feeds have once', async () => {
    const { output } = await run(...usual, ...feed, ...feed, '--json');
    expect(JSON.parse(output)).toHaveLength(2);
  });

  test.each([
    [[...feed, '--feed', 'debian-tracker=/tracker']],
    [['--feed', 'debian-tracker=/tracker', ...feed]],
  ])("Debian's tracker has the last word on what its lists say: %j", async (feeds) => {
    const { output } = await run(...usual, ...feeds, '--json');
    expect(JSON.parse(output)).toMatchObject([{ advisory: 'DSA-5999-1', state: 'applied' }]);
  });

  test('says to people what is to be upgraded', async () => {
    const { output } = await run(...usual, ...feed);
    expect(output).toBe(
      [
        'To be upgraded (1):',
        'SEVERITY  PACKAGE  INSTALLED         FIXED IN          ADVISORY',
        'unknown   libssl3  3.0.15-1~deb12u1  3.0.17-1~deb12u2  DSA-6000-1',
        '',
        '1 package of debian-12, 2 advisories: 1 package is to be upgraded.',
        '1 part of the feeds could not be used; the first: DSA-list, DSA-6000-1 (line 4), release: there is no release nosuch\n',
      ].join('\n'),
    );
    expect((await run(...usual, ...feed, '--verbose')).output).toContain('Fixed already (1):');
  });

  test('says of a kernel that is installed and does not run that it wants a reboot', async () => {
    const kernel = (release: string, version: string) => ({
      ...{ name: `linux-image-${release}`, arch: 'amd64', version, source: 'openssl' },
    });
    const inventory = put(
      'kernels.json',
      JSON.stringify({
        ...{ platform: 'debian-12', kernel: '6.1.0-1-amd64' },
        packages: [kernel('6.1.0-1-amd64', '3.0.14-1'), kernel('6.1.0-2-amd64', '3.0.18-1')],
      }),
    );
    const { output } = await run('--platform', 'debian-12', '--inventory', inventory, ...feed);
    expect(output).toContain('Installed, but an older kernel runs: reboot (1):');
    expect(output).toContain('nothing is to be upgraded');
  });

  test('says which kernel runs, where the inventory cannot', async () => {
    const kernel = (release: string, version: string): string =>
      `Package: linux-image-${release}\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: ${version}\n`;
    const inventory = put(
      'kernels',
      [kernel('6.1.0-1-amd64', '3.0.14-1'), kernel('6.1.0-2-amd64', '3.0.18-1')].join('\n'),
    );
    const asked = ['--platform', 'debian-12', '--inventory', inventory, ...feed];
    expect((await run(...asked)).output).not.toContain('reboot');
    const { output } = await run(...asked, '--kernel', '6.1.0-1-amd64');
    expect(output).toContain('Installed, but an older kernel runs: reboot (1):');
  });

  test('an empty feed says that there is nothing', async () => {
    const { output, warnings } = await run(...usual, '--feed', 'osv=/empty', '--json');
    expect(JSON.parse(output)).toEqual([]);
    expect(warnings).toBe('no advisory was found in /empty\n');
    expect((await run(...usual, '--feed', 'osv=/empty')).output).toContain(
      '0 advisories: nothing is to be upgraded',
    );
  });

  test('says that no advisory is for a platform', async () => {
    const asked = ['--inventory', usual[3] ?? '', ...feed];
    const { output } = await run('--platform', 'debain-12', ...asked);
    expect(output).toContain('1 package of debain-12, 2 advisories, none of which is for it: ');
    const { warnings } = await run('--platform', 'debain-12', ...asked, '--json');
    expect(warnings).toContain('none of 2 advisories is for debain-12\n');
    expect((await run('--platform', 'Debian-12', ...asked)).output).toContain('1 package is to be');
  });

  test('tells security from other fixes, and lists both', async () => {
    const inventory = put('el9', 'bash\t\t5.1\t1.el9\tx86_64\t\t\nzip\t\t3.0\t1.el9\tx86_64\t\t\n');
    const asked = ['--platform', 'almalinux-9', '--inventory', inventory];
    const { output } = await run(...asked, '--feed', 'updateinfo=/el9');
    expect(output).not.toContain('zip');
    expect(output).toContain(
      '1 package is to be upgraded, and 1 other for bug fixes and enhancements alone.',
    );
    const verbose = await run(...asked, '--feed', 'updateinfo=/el9', '--verbose');
    expect(verbose.output).toContain('Bug fixes and enhancements to be had (1):');
    const { output: json } = await run(...asked, '--feed', 'updateinfo=/el9', '--json');
    expect(
      (JSON.parse(json) as { package: string; kind: string }[]).map((one) => [
        ...[one.package, one.kind],
      ]),
    ).toEqual([
      ['bash', 'security'],
      ['bash', 'bugfix'],
      ['zip', 'enhancement'],
    ]);
  });

  test('asks for the minor release of a product stream', async () => {
    const packages = [{ name: 'a', version: '1-1.el9' }];
    const inventory = put('eus.json', JSON.stringify({ channels: ['eus'], packages }));
    const on = (platform: string) => run('--platform', platform, '--inventory', inventory, ...feed);
    expect((await on('rhel-9')).warnings).toContain('eus: a product stream goes on with');
    expect((await on('rhel-9.2')).warnings).toBe('');
    const els = put('els.json', JSON.stringify({ channels: ['els'], packages }));
    expect((await run('--platform', 'rhel-7', '--inventory', els, ...feed)).warnings).toBe('');
  });

  test('one feed that cannot be read does not keep what others say back', async () => {
    for (const bad of ['osv=/x', 'osv=https://x/gone'])
      for (const feeds of [
        [...feed, '--feed', bad],
        ['--feed', bad, ...feed],
      ]) {
        const { output, failure } = await tried(...usual, ...feeds, '--json');
        expect(JSON.parse(output)).toHaveLength(2);
        expect(failure).toMatch(/^(?:no advisory was found in \/x: DSA-list|.*not there \(404\)$)/);
        expect((await tried(...usual, ...feeds)).output).toContain('1 package is to be upgraded.');
      }
    expect((await tried(...usual, '--feed', 'osv=/x')).output).toBe('');
  });

  test('a host may have channels that its inventory does not tell', async () => {
    const inventory = put('el9-epel', 'bash\t\t5.1\t1.el9\tx86_64\t\t\n');
    const asked = ['--platform', 'almalinux-9', '--inventory', inventory, '--feed'];
    const note =
      '1 advisory for packages of this host is for channels that it does not have: epel (--channel says that it does)';
    const { output } = await run(...asked, 'updateinfo=/epel9');
    expect(output).toContain(note);
    expect(output).toContain('nothing is to be upgraded');
    const told = await run(...asked, 'updateinfo=/epel9', '--channel', 'epel', '--channel', 'eus');
    expect(told.output).toContain('1 package is to be upgraded');
    expect(told.output).not.toContain('--channel');
    const json = await run(...asked, 'updateinfo=/epel9', '--json');
    expect([json.output, json.warnings]).toEqual(['[]\n', `${note}\n`]);
    // What is installed has the fix: it makes no difference.
    const newer = put('el9-new', 'bash\t\t5.2\t1.el9\tx86_64\t\t\n');
    const asked2 = ['--platform', 'almalinux-9', '--inventory', newer];
    expect((await run(...asked2, '--feed', 'updateinfo=/epel9')).output).not.toContain('--channel');
  });

  test('what could be read of a damaged archive counts, and the damage is told', async () => {
    const { output } = await run(...usual, '--feed', 'debian-lists=/damaged', '--verbose');
    expect(output).toContain('2 advisories: 1 package is to be upgraded.');
    expect(output).toContain('2 parts of the feeds could not be used');
    const { warnings } = await run(...usual, '--feed', 'debian-lists=/damaged', '--json');
    expect(warnings).toContain('lists.tar: it ends too early\n');
  });

  test('fetches a feed that is an address, and leaves nothing of it behind', async () => {
    const url = 'HTTPS://mirror/dists/bookworm-security';
    const { output, fetched } = await run(
      ...[...usual, '--feed', `apt-security=${url}`, '--keyring', 'a.gpg', '--keyring', 'b.asc'],
      ...[...feed, '--verbose'],
    );
    expect(output).toContain('1 package is to be upgraded.');
    expect(fetched).toEqual([
      {
        ...{ source: 'apt-security', url, architectures: ['amd64'] },
        keyring: ['a.gpg', 'b.asc'],
      },
      'removed',
    ]);
    await expect(run(...usual, '--feed', 'osv=https://x/gone')).rejects.toThrow(
      'https://x/gone: it is not there (404)',
    );
  });

  test.each([
    [['--platform', 'debian', '--inventory', usual[3] ?? '', ...feed], /--platform debian: want/],
    [[...usual, '--feed', 'nosuch=/x'], /one of debian-lists/],
    [[...usual, '--feed', 'debian-lists'], /want <source>=<path>/],
    [[...usual, '--feed', 'osv=/x'], /no advisory was found in \/x: DSA-list/],
    [[...usual, '--feed', 'osv=ftp://mirror/all.zip'], /http and https are understood/],
    [
      ['--platform', 'debian-12', '--inventory', '/no/such', ...feed],
      /inventory \/no\/such: ENOENT/,
    ],
  ])('%j is refused', async (argv, message) => {
    await expect(run(...argv)).rejects.toThrow(message);
  });
});

describe('inventories', () => {
  test('of dpkg, what is installed and what is held', async () => {
    const expected = {
      ...{ name: 'libssl3', arch: 'amd64', version: '3.0.15-1~deb12u1', held: true },
      ...{ source: 'openssl', sourceVersion: '3.0.15-1~deb12u1' },
    };
    for (const path of [put('plain', status), put('packed.gz', gzipSync(status))])
      expect((await readInventory(path, 'debian-12')).inventory).toEqual({
        ...{ platform: 'debian-12', packages: [expected] },
      });
  });

  test('compressed in any way, and without a status', async () => {
    const stanza = 'Package: a\nVersion: 1\nArchitecture: all\nDescription: b\n c\n\n';
    const image = put('image', `\n${stanza}${stanza.replace('Package: a', 'Package: z')}`);
    expect(
      (await readInventory(image, 'debian-12')).inventory.packages.map(({ name }) => name),
    ).toEqual([...['a', 'z']]);
    for (const [suffix, text] of Object.entries(packedStatus)) {
      const path = put(`status.${suffix}`, Buffer.from(text, 'base64'));
      expect((await readInventory(path, 'debian-12')).inventory.packages).toMatchObject([
        { name: 'a' },
      ]);
    }
  });

  test('as others write JSON', async () => {
    const packages = [
      { name: 'libc6:amd64', version: '2.36-9', source: null, status: 'ii ', held: null },
      { name: 'bind', arch: 'x86_64', version: '(none):9-1', sourceVersion: '', module: null },
    ];
    const expected = [
      { name: 'libc6', arch: 'amd64', version: '2.36-9' },
      { name: 'bind', arch: 'x86_64', version: '9-1' },
    ];
    const whole = { host: 'a', channels: null, kernel: null, packages };
    for (const json of [packages, whole])
      expect(await readInventory(put('o.json', JSON.stringify(json)), 'debian-12')).toEqual({
        inventory: { platform: 'debian-12', packages: expected },
        warnings: [],
      });
  });

  test('of rpm, and as JSON', async () => {
    const rpm = put('rpm', 'bind\t32\t9.16\t1.el9\tx86_64\t(none)\t(none)\n');
    expect((await readInventory(rpm, 'almalinux-9')).inventory.packages).toMatchObject([
      { name: 'bind', version: '32:9.16-1.el9' },
    ]);
    const packages = [{ name: 'a', arch: 'amd64', version: '1' }];
    const json = put(
      'json',
      JSON.stringify({ platform: 'x-1', channels: ['esm-infra'], packages }),
    );
    expect((await readInventory(json, 'ubuntu-22.04')).inventory).toEqual({
      ...{ platform: 'ubuntu-22.04', channels: ['esm-infra'], packages },
    });
  });

  const json = (platform: string, version: string): string =>
    JSON.stringify({ platform, packages: [{ name: 'bash', arch: 'x86_64', version }] });
  test.each([
    ['ubuntu-22.04', json('ubuntu-22.04', '5.1-1'), ''],
    ['debian-12', json('ubuntu-22.04', '5.1-1'), 'it is of ubuntu-22.04, and is taken for one of'],
    ['debian-12', json('debian-11', '5.1-1'), 'it is of debian-11'],
    ['almalinux-9', json('AlmaLinux-9.4', '5.1-1.el9'), ''],
    ['almalinux-9.4', json('almalinux-9', '5.1-1.el9'), ''],
    ['almalinux-9', json('almalinux-9', '5.1'), 'bash 5.1: no release'],
    ['debian-12', '{"packages": []}', 'it has no package'],
    ['almalinux-9', '', 'it has no package'],
    ['debian-12', '\n', 'it has no package'],
  ])('what is odd of one for %s is told: %s', async (platform, text, expected) => {
    const { warnings } = await readInventory(put('odd.json', text), platform);
    expect(warnings).toHaveLength(expected === '' ? 0 : 1);
    expect(warnings.join()).toContain(expected);
  });

  test('packages of the other kind are refused', async () => {
    const rpm = put('other', 'bind\t32\t9.16\t1.el9\tx86_64\t(none)\t(none)\n');
    await expect(readInventory(put('dpkg', status), 'almalinux-9')).rejects.toThrow(
      'these are packages of dpkg, and almalinux-9 has those of rpm',
    );
    await expect(readInventory(rpm, 'ubuntu-22.04')).rejects.toThrow(
      'these are packages of rpm, and ubuntu-22.04 has those of dpkg',
    );
  });

  test.each([
    ['{"platform": "x-1", "packages": [{}]}', /packages\[0\]\.name/],
    ['{"platform": ', /JSON/],
    ['what is this\n', /line 1: .*want name/],
  ])('%j is refused, and it is said where', async (content, message) => {
    const path = put('bad', content);
    await expect(readInventory(path, 'debian-12')).rejects.toThrow(message);
    await expect(readInventory(path, 'debian-12')).rejects.toThrow(`inventory ${path}`);
  });
});
