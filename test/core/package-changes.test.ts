import { describe, expect, test } from '@jest/globals';
import { packageChanges, withChanges } from '../../src/core/package-changes.ts';
import type { InstalledPackage } from '../../src/core/packages.ts';

const entry = (spec: string, source?: string): InstalledPackage => {
  const [name = '', arch = '', version = ''] = spec.split(' ');
  return { name, arch, version, source: source ?? name, sourceVersion: version };
};
const change = (
  spec: string,
  from: string | null,
  to: string | null,
): ReturnType<typeof packageChanges>[number] => {
  const { name, arch } = entry(spec);
  return { name, arch, source: name, from, to };
};

describe('packageChanges', () => {
  test.each([
    ['nothing', ['a amd64 1'], ['a amd64 1'], []],
    [
      'an upgrade',
      ['a amd64 1', 'b all 1'],
      ['a amd64 2', 'b all 1'],
      [change('a amd64', '1', '2')],
    ],
    ['a downgrade', ['a amd64 2'], ['a amd64 1'], [change('a amd64', '2', '1')]],
    ['installed', [], ['a amd64 1'], [change('a amd64', null, '1')]],
    ['removed', ['a amd64 1'], [], [change('a amd64', '1', null)]],
    [
      'sorted by name, then architecture',
      ['b amd64 1', 'a i386 1', 'a amd64 1'],
      ['a i386 2', 'b amd64 2', 'a amd64 2'],
      [change('a amd64', '1', '2'), change('a i386', '1', '2'), change('b amd64', '1', '2')],
    ],
    [
      'one of two architectures removed',
      ['a amd64 1', 'a i386 1'],
      ['a amd64 1'],
      [change('a i386', '1', null)],
    ],
    ['moved from all to amd64', ['a all 1'], ['a amd64 2'], [change('a amd64', '1', '2')]],
    [
      'another architecture instead is no upgrade',
      ['a i386 1'],
      ['a amd64 1'],
      [change('a amd64', null, '1'), change('a i386', '1', null)],
    ],
    [
      'a kernel that is installed beside older ones, the oldest goes',
      ['kernel x86_64 1', 'kernel x86_64 2'],
      ['kernel x86_64 2', 'kernel x86_64 3'],
      [change('kernel x86_64', '1', null), change('kernel x86_64', null, '3')],
    ],
  ])('%s', (_, before, after, expected) => {
    const changes = packageChanges(
      before.map((spec) => entry(spec)),
      after.map((spec) => entry(spec)),
    );
    expect(changes).toEqual(expected);
  });

  test('the source is that of the new version', () => {
    const changes = packageChanges([entry('a amd64 1', 'old')], [entry('a amd64 2', 'new')]);
    expect(changes).toEqual([{ name: 'a', arch: 'amd64', source: 'new', from: '1', to: '2' }]);
  });
});

describe('withChanges', () => {
  const before = ['a amd64 1', 'b amd64 1', 'c all 1', 'd i386 1', 'd amd64 1'].map((one) =>
    entry(one),
  );
  test.each([
    [['a amd64 2', 'b amd64 1', 'c all 1', 'd i386 1', 'd amd64 1']],
    [['b amd64 1', 'c amd64 2', 'd i386 2', 'd amd64 2', 'e all 7']],
    [['d amd64 1']],
  ])('leads from before to after: %j', (specs) => {
    const after = specs.map((one) => entry(one, 'src'));
    const led = withChanges(before, packageChanges(before, after), after);
    expect(packageChanges(led, after)).toEqual([]);
  });

  test('what else happened is still seen', () => {
    const own = packageChanges([entry('a amd64 1')], [entry('a amd64 2')]);
    const after = [entry('a amd64 2'), entry('b amd64 9')];
    const led = withChanges([entry('a amd64 1'), entry('b amd64 8')], own, after);
    expect(packageChanges(led, after)).toEqual([change('b amd64', '8', '9')]);
  });

  test('a version that came and went again shows as what came after', () => {
    const own = packageChanges([entry('a amd64 1')], [entry('a amd64 2')]);
    const after = [entry('a amd64 3')];
    const led = withChanges([entry('a amd64 1')], own, after);
    expect(packageChanges(led, after)).toEqual([change('a amd64', '2', '3')]);
  });
});
