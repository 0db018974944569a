import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { deriveDebCore } from '../../../src/core/platforms/derive-deb-core.ts';
import type { DebIndexPackage } from '../../../src/core/platforms/derive-deb-core.ts';
import { Manifest } from '../../../src/core/platforms/manifest.ts';
import { parsePackagesIndex } from '../../../src/host/apt/parse-packages-index.ts';

const fixture = (name: string): Buffer => readFileSync(`test/fixtures/platforms/${name}`);

const pack = (name: string, more: Partial<DebIndexPackage> = {}): DebIndexPackage => ({
  ...{ name, priority: 'optional', essential: false, depends: [], provides: [] },
  ...more,
});

describe.each(['debian-12', 'debian-13'])('%s', (platform) => {
  const core = deriveDebCore(
    parsePackagesIndex(gunzipSync(fixture(`${platform}-Packages.gz`)).toString()),
  );

  test('is what apt installs for its priorities', () => {
    const installed = fixture(`${platform}-installed.txt`).toString().trim().split('\n');
    expect(core.map(({ name }) => name)).toEqual(installed.sort());
  });

  test('is what is shipped', () => {
    const text = readFileSync(`packaging/platforms/${platform}.json`, 'utf8');
    const manifest = Manifest.parse(JSON.parse(text));
    expect(manifest.platform).toBe(platform);
    expect(manifest.packages).toEqual(core);
  });

  test('says why', () => {
    const why = new Map(core.map((one) => [one.name, one]));
    expect(why.get('dpkg')).toEqual({ name: 'dpkg', why: 'essential' });
    expect(why.get('passwd')).toEqual({ name: 'passwd', why: 'required' });
    expect(why.get('udev')).toEqual({ name: 'udev', why: 'important' });
    expect(why.get('libc6')).toMatchObject({ why: 'dependency' });
  });
});

describe('dependencies', () => {
  const namesOf = (...index: DebIndexPackage[]): string[] =>
    deriveDebCore([pack('root', { essential: true, depends: [['a', 'b']] }), ...index]).map(
      ({ name, why, of }) => `${name} ${why}${of === undefined ? '' : ` ${of}`}`,
    );

  test.each<[string, DebIndexPackage[], string[]]>([
    ['of alternatives the first', [pack('a'), pack('b')], ['a dependency root']],
    ['the next where the first is not there', [pack('b')], ['b dependency root']],
    [
      'none where one is core anyway',
      [pack('a'), pack('b', { priority: 'required' })],
      ['b required'],
    ],
    [
      'nor where what is core provides one',
      [pack('a'), pack('c', { priority: 'important', provides: ['b'] })],
      ['c important'],
    ],
    [
      'of several that provide it the one of the higher priority',
      [pack('x', { provides: ['a'] }), pack('y', { provides: ['a'], priority: 'standard' })],
      ['y dependency root'],
    ],
    [
      'at the same priority the first by name',
      [pack('y', { provides: ['a'] }), pack('x', { provides: ['a'] })],
      ['x dependency root'],
    ],
    [
      'and theirs, also in a circle',
      [pack('a', { depends: [['c']] }), pack('c', { depends: [['a'], ['root']] })],
      ['a dependency root', 'c dependency a'],
    ],
    ['what nobody has is left out', [pack('z')], []],
    ['priorities below are none', [pack('z', { priority: 'standard' })], []],
  ])('%s', (_, index, expected) => {
    expect(namesOf(...index).filter((name) => !name.startsWith('root'))).toEqual(expected);
  });
});
