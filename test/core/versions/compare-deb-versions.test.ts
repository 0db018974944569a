import { gunzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import {
  compareDebVersions,
  parseDebVersion,
} from '../../../src/core/versions/compare-deb-versions.ts';
import { fixture, rows, wrong } from './vectors.ts';

describe('vectors of other projects', () => {
  test('dpkg, apt, go-deb-version and osv.dev', () => {
    const table = rows(fixture('deb-compare.tsv').toString());
    expect(table.length).toBe(79);
    expect(wrong(table, compareDebVersions)).toEqual([]);
  });

  test('pairs of versions from the archives', () => {
    const table = rows(gunzipSync(fixture('deb-realworld.tsv.gz')).toString());
    expect(table.length).toBe(4016);
    expect(wrong(table, compareDebVersions)).toEqual([]);
  });

  test('digit runs that no number type holds', () => {
    const table = rows(fixture('long-digit-runs.tsv').toString());
    expect(table.length).toBe(7);
    expect(wrong(table, compareDebVersions)).toEqual([]);
  });

  test('what is a version and what is none', () => {
    const table = rows(fixture('deb-parse.tsv').toString());
    expect(table.length).toBe(50);
    for (const [json = '', listed, epoch, upstream, revision] of table) {
      const text = JSON.parse(json) as string;
      // go-deb-version takes this one; dpkg --validate-version refuses it, and dpkg decides.
      const expected = text === '6.0-4.el6.x86_64' ? 'invalid' : listed;
      const parsed = parseDebVersion(text);
      expect([text, parsed.ok]).toEqual([text, expected === 'valid']);
      if (!parsed.ok || epoch === '?') continue;
      expect(parsed.version).toEqual({ epoch: Number(epoch), upstream, revision });
    }
  });
});

describe('errors', () => {
  test.each([
    ['', 'is empty'],
    ['1.0 2', 'has blanks inside'],
    [':1.0', 'has an empty epoch'],
    ['a:1.0', 'epoch a is not a number'],
    ['2147483648:1', 'epoch 2147483648 is too big'],
    ['3:', 'has nothing after the epoch'],
    ['-1', 'has an empty upstream version'],
    ['1.0-', 'has an empty revision'],
    ['v1.0', 'upstream version v1.0 does not start with a digit'],
    ['1.0_2', '"_" in the upstream version'],
    ['1.0-1_2', '"_" in the revision'],
  ])('%j: %s', (text, reason) => {
    const parsed = parseDebVersion(text);
    expect(parsed.ok ? '' : parsed.error).toContain(reason);
    expect(parsed.ok ? '' : parsed.error).toContain(JSON.stringify(text));
  });
});

const version = fc.oneof(
  fc.stringMatching(/^(\d{1,3}:)?\d[a-zA-B0-3.+~:-]{0,12}(-[a-b0-2.+~]{1,4})?$/),
  fc.string({ maxLength: 8 }),
);

describe('a total order', () => {
  test.prop([version, version])('turned round, the sign turns', (a, b) => {
    expect(compareDebVersions(a, b) + compareDebVersions(b, a)).toBe(0);
  });

  test.prop([version, version, version], { numRuns: 2000 })('transitive', (a, b, c) => {
    const [low = '', middle = '', high = ''] = [a, b, c].sort(compareDebVersions);
    expect(compareDebVersions(low, middle)).toBeLessThanOrEqual(0);
    expect(compareDebVersions(middle, high)).toBeLessThanOrEqual(0);
    expect(compareDebVersions(low, high)).toBeLessThanOrEqual(0);
    if (compareDebVersions(low, middle) === 0)
      expect(compareDebVersions(low, high)).toBe(compareDebVersions(middle, high));
  });

  test.prop([fc.stringMatching(/^\d[a-z0-9.+]{0,8}$/)])('usual readings of one version', (text) => {
    expect(compareDebVersions(text, text)).toBe(0);
    expect(compareDebVersions(text, `0:${text}-0`)).toBe(0);
    expect(compareDebVersions(text, ` ${text}\t`)).toBe(0);
    expect(compareDebVersions(`${text}~`, text)).toBe(-1);
    expect(compareDebVersions(`${text}-1`, text)).toBe(1);
    expect(compareDebVersions(`1:${text}`, text)).toBe(1);
  });

  test.prop([version])('a version that parses is equal to its parts put together', (text) => {
    const parsed = parseDebVersion(text);
    if (!parsed.ok) return;
    const { epoch, upstream, revision } = parsed.version;
    const together = `${epoch}:${upstream}${revision === '' ? '' : `-${revision}`}`;
    expect(compareDebVersions(text, together)).toBe(0);
  });
});
