import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { registerPlatform } from '../../../../src/cli/local/platform/platform.ts';
import type { InventoryPackage } from '../../../../src/core/advisories/inventory.ts';

const own = mkdtempSync(join(tmpdir(), 'gs-platforms-'));
afterAll(() => {
  rmSync(own, { recursive: true, force: true });
});

const shipped = 'packaging/platforms';
const coreNames = (
  JSON.parse(readFileSync(`${shipped}/debian-12.json`, 'utf8')) as { packages: { name: string }[] }
).packages.map(({ name }) => name);

const installed = (names: readonly string[], repository: string | null): InventoryPackage[] =>
  names.map((name) => ({ name, arch: 'amd64', version: '1', repository }));

let host: { platform: string; packages: InventoryPackage[] };
beforeEach(() => {
  host = { platform: 'debian-12', packages: installed(coreNames, 'Debian') };
  for (const name of readdirSync(own)) rmSync(join(own, name), { recursive: true });
});

const run = async (...argv: string[]): Promise<{ output: string; code: number }> => {
  const result = { output: '', code: 0 };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  registerPlatform(program, {
    ...{ socketPath: '/nowhere', actor: 'a test', interactive: false },
    write: (text) => (result.output += text),
    directories: [own, shipped],
    readPlatform: () => Promise.resolve(host.platform),
    readInventory: () => Promise.resolve({ packages: host.packages }),
    readCore: () =>
      Promise.resolve({
        packages: [{ name: 'bash', why: 'mandatory', of: 'core' }],
        from: ['AlmaLinux 9.4: group core of baseos'],
      }),
    now: () => Date.UTC(2026, 10, 29),
    setExitCode: (code) => (result.code = code),
  });
  await program.parseAsync(['platform', ...argv], { from: 'user' });
  return result;
};

describe('show', () => {
  test('this host’s platform, or another', async () => {
    expect((await run('show')).output).toMatch(
      /^libc6 +dependency +apt$[^]*debian-12: 164 core packages .*\nmade with `groundswell platform make` on \d{4}-.* from Debian 12\.\d+/m,
    );
    const { output } = await run('show', 'debian-13', '--json');
    expect(JSON.parse(output)).toMatchObject({ platform: 'debian-13' });
  });

  test('none is invented: it says how to make one', async () => {
    const command = `groundswell platform make --output ${own}/almalinux-9.json`;
    await expect(run('show', 'almalinux-9.4')).rejects.toThrow(
      `there is no manifest of almalinux-9.4 (there are: debian-12, debian-13). On a host of that platform: ${command}`,
    );
  });

  test.each([
    ['{', 'JSON'],
    ['{"platform": "debian-12"}', 'packages'],
    [readFileSync(`${shipped}/debian-13.json`, 'utf8'), 'it is of debian-13, not of debian-12'],
  ])('a file that is no manifest of it is named: %#', async (text, message) => {
    writeFileSync(join(own, 'debian-12.json'), text);
    const shown = run('show');
    await expect(shown).rejects.toThrow(`manifest ${own}/debian-12.json: `);
    await expect(shown).rejects.toThrow(message);
  });
});

describe('diff', () => {
  test('a host that has its core and no more', async () => {
    expect(await run('diff')).toEqual({
      output:
        '164 of the 164 core packages of debian-12, nothing is missing; nothing beside them.\n',
      code: 0,
    });
  });

  test('what is missing, and what is beside it by origin', async () => {
    const more = Array.from({ length: 14 }, (_, index) => `p${index + 10}`);
    host.packages = [
      ...installed(
        coreNames.filter((name) => name !== 'nano' && name !== 'usrmerge'),
        'Debian',
      ),
      ...installed(more, 'Debian'),
      ...installed(['docker-ce'], 'Docker'),
      ...installed(['by-hand'], null),
    ];
    const { output, code } = await run('diff');
    expect(code).toBe(10);
    expect(output).toBe(`Missing (1):
PACKAGE  WHY        OF
nano     important

Beside the core (16):
ORIGIN                 COUNT  PACKAGES
Docker                 1      docker-ce
no repository          1      by-hand
Debian (of debian-12)  14     p10 p11 p12 p13 p14 p15 p16 p17 p18 p19 p20 p21 and 2 more

162 of the 164 core packages of debian-12, 1 missing, 1 not needed; 16 packages beside them (all names: -v).
`);
    const { output: whole } = await run('diff', '-v');
    expect(whole).toContain('p21 p22 p23\n');
    expect(whole).toMatch(/^Not needed \(1\).*: usrmerge$/m);
  });

  test('of what another host has reported, by its own platform', async () => {
    const asked: (string | undefined)[] = [];
    const packages = installed(['bash', 'acme-agent'], null);
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ inventory: { platform: 'debian-13', packages } }));
    });
    const socket = join(own, 'api.sock');
    await once(server.listen(socket), 'listening');
    try {
      const { output, code } = await run('diff', '--host', 'edge-1', '--socket', socket, '--json');
      expect(asked).toEqual(['/v1/inventory/edge-1']);
      expect(JSON.parse(output)).toMatchObject({
        ...{ platform: 'debian-13', present: 1 },
        foreign: [{ kind: 'none', packages: ['acme-agent'] }],
      });
      expect(code).toBe(10);
    } finally {
      server.close();
    }
  });

  test('as JSON', async () => {
    host.packages.push(...installed(['docker-ce'], 'Docker'));
    expect(JSON.parse((await run('diff', '--json')).output)).toEqual({
      ...{ platform: 'debian-12', manifest: 'packaging/platforms/debian-12.json', total: 164 },
      ...{ present: 164, missing: [], notNeeded: [] },
      foreign: [{ origin: 'Docker', kind: 'other', packages: ['docker-ce'] }],
    });
  });
});

describe('make', () => {
  test('a manifest of the site goes before the one that is shipped, and holds for minor releases', async () => {
    host = { platform: 'almalinux-9.4', packages: installed(['bash'], 'baseos') };
    const path = join(own, 'below/almalinux-9.json');
    await run('make', '--output', path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      platform: 'almalinux-9',
      made: {
        ...{ by: 'groundswell platform make', on: '2026-11-29' },
        from: ['AlmaLinux 9.4: group core of baseos'],
      },
      packages: [{ name: 'bash', why: 'mandatory', of: 'core' }],
    });
    expect(readdirSync(join(own, 'below'))).toEqual(['almalinux-9.json']);
    await run('make', '--output', join(own, 'almalinux-9.json'));
    expect((await run('diff')).output).toContain('1 of the 1 core package of almalinux-9, ');

    host.platform = 'debian-12';
    await run('make', '--output', join(own, 'debian-12.json'));
    expect(JSON.parse((await run('show', '--json')).output)).toMatchObject({
      packages: [{ name: 'bash' }],
    });
  });

  test('without a file it only prints', async () => {
    expect(JSON.parse((await run('make', '--json')).output)).toMatchObject({
      platform: 'debian-12',
    });
    expect((await run('make')).output).toContain('debian-12: 1 core package (1 mandatory)');
    expect(existsSync(join(own, 'debian-12.json'))).toBe(false);
  });
});
