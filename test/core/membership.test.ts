import { describe, expect, test as plain } from '@jest/globals';
import process from 'node:process';
import { fc, test } from '@fast-check/jest';
import { globCovers, globMatches } from '../../src/core/glob.ts';
import { certainConflict, membershipOf } from '../../src/core/membership.ts';
import { optOutFor } from '../../src/core/opt-out.ts';
import { substitute } from '../../src/core/substitute.ts';

describe('glob', () => {
  plain.each([
    ['web-*', 'web-01', true],
    ['web-*', 'web-', true],
    ['web-*', 'xweb-1', false],
    ['web-??', 'web-01', true],
    ['web-??', 'web-1', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['*-db-*', 'eu-db-db-1', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYbZ', false],
    ['web.1', 'webx1', false],
    ['[ab]', 'a', false],
    ['web', 'web\nx', false],
  ])('%j on %j: %j', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches);
  });

  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '?'), maxLength: 8 });
  test.prop([glob, word])(
    'agrees with the regular expression of the same meaning',
    (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
      expect(globMatches(pattern, text)).toBe(expected.test(text));
    },
  );

  plain.each([
    ['*', 'web-*', true],
    ['web-*', 'web-*', true],
    ['web-*', 'web-0?', true],
    ['web-??', 'web-01', true],
    ['web-?', 'web-*', false],
    ['web-01', 'web-*', false],
    ['web-*', '*-01', false],
    ['*-*', 'web-*', true],
  ])('%j covers %j: %j', (wide, narrow, covers) => {
    expect(globCovers(wide, narrow)).toBe(covers);
  });

  test.prop([glob, glob, word])(
    'what is covered is matched by both',
    (wide, narrow, text) => {
      if (globCovers(wide, narrow) && globMatches(narrow, text))
        expect(globMatches(wide, text)).toBe(true);
    },
    5_000,
  );

  plain('takes no long time over a pattern made to', () => {
    // Of the processor, whoever else has it meanwhile: a pattern that is tried in every way takes hours.
    const before = process.cpuUsage();
    expect(globMatches(`${'*a'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false);
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });
});

describe('membership (R18)', () => {
  const services = [
    { name: 'web', match: [{ container: 'web-*' }, { host: 'edge-*', group: 'front' }] },
    { name: 'db', match: [{ group: 'db' }] },
    { name: 'never', match: [] },
  ];
  const of = (name: string, groups: string[] = [], hostId = 'h1') =>
    membershipOf(services, { hostId, name, groups });

  plain.each([
    ['by name', of('web-1'), { kind: 'service', service: 'web' }],
    ['by group', of('x', ['a', 'db']), { kind: 'service', service: 'db' }],
    ['all of one rule', of('x', ['front'], 'edge-1'), { kind: 'service', service: 'web' }],
    ['not half of one rule', of('x', ['front']), { kind: 'unassigned', service: 'h1/unassigned' }],
    [
      'two rules of one service',
      of('web-1', ['front'], 'edge-1'),
      { kind: 'service', service: 'web' },
    ],
  ])('%s', (_, membership, expected) => {
    expect(membership).toEqual(expected);
  });

  plain('two services that claim one container are both named', () => {
    expect(of('web-1', ['db'])).toEqual({
      kind: 'conflict',
      services: ['web', 'db'],
      reason:
        'h1/web-1 is claimed by the services web and db: change their `match` so that only one does',
    });
  });
});

describe('two services that certainly claim the same (R18)', () => {
  plain.each([
    ['the same glob', [{ container: 'web-*' }], [{ container: 'web-*' }], { wide: 0, narrow: 0 }],
    ['one in the other', [{ container: '*' }], [{ group: 'web' }], { wide: 0, narrow: 0 }],
    [
      'one rule of several',
      [{ group: 'db' }, { host: 'h*' }],
      [{ group: 'web' }, { host: 'h1', container: 'x' }],
      { wide: 1, narrow: 1 },
    ],
    ['a host of its own only', [{ host: 'h1', group: 'web' }], [{ group: 'web' }], null],
    ['name and group', [{ container: 'web-*' }], [{ group: 'web' }], null],
    ['globs that only may meet', [{ container: 'web-*' }], [{ container: '*-01' }], null],
  ])('%s', (_, wide, narrow, expected) => {
    expect(certainConflict(wide, narrow)).toEqual(expected);
  });
});

describe('opt-out', () => {
  const subject = { hostId: 'h1', name: 'web-1', service: 'web' };
  plain.each([
    ['of another host', [{ host: 'h2', reason: 'r', until: null }], null],
    ['that is over', [{ container: 'web-*', reason: 'r', until: 1_000 }], null],
    [
      'that is in force',
      [{ container: 'web-*', reason: 'r', until: 1_001 }],
      { reason: 'r', until: 1_001 },
    ],
    ['of all that is named', [{ host: 'h1', service: 'db', reason: 'r', until: null }], null],
    [
      'that lasts longest',
      [
        { host: 'h1', reason: 'short', until: 5_000 },
        { service: 'web', reason: 'ever', until: null },
      ],
      { reason: 'ever', until: null },
    ],
  ])('one %s', (_, optOuts, expected) => {
    expect(optOutFor(optOuts, subject, 1_000)).toEqual(expected);
  });
});

describe('substitute', () => {
  plain.each([
    ['{name}/{name}', 'web-1/web-1'],
    ['{address}:80', '10.0.0.1:80'],
    ['${name} {other} {}', '$web-1 {other} {}'],
  ])('%s', (text, expected) => {
    expect(substitute(text, { name: 'web-1', address: '10.0.0.1' })).toBe(expected);
  });

  plain('does not look at what it has put in', () => {
    expect(substitute('{name}', { name: '{address}', address: 'a' })).toBe('{address}');
  });

  plain('a container without an address is named', () => {
    expect(() => substitute('{address}', { name: 'web-1', address: null })).toThrow(
      /web-1 has no address/,
    );
  });
});
