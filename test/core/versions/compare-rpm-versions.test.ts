import { gunzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import {
  compareRpmSegments,
  compareRpmVersions,
  parseRpmVersion,
} from '../../../src/core/versions/compare-rpm-versions.ts';
import { fixture, rows, wrong } from './vectors.ts';

describe('vectors of other projects', () => {
  test.each<[string, (a: string, b: string) => number, number, number]>([
    ['rpm-segment-compare.tsv', compareRpmSegments, 2_267, 2],
    ['rpm-segment-oddities.tsv', compareRpmSegments, 5, 2],
    ['rpm-evr-compare.tsv', compareRpmVersions, 41, 2],
    ['rpm-evr-realworld.tsv.gz', compareRpmVersions, 3_964, 2],
    ['long-digit-runs.tsv', compareRpmVersions, 7, 3],
  ])('%s', (name, compare, count, column) => {
    const content = fixture(name);
    const table = rows((name.endsWith('.gz') ? gunzipSync(content) : content).toString());
    expect(table.length).toBe(count);
    expect(wrong(table, compare, column)).toEqual([]);
  });
});

describe('parts of a version', () => {
  test.each([
    ['1.0', { epoch: '0', version: '1.0', release: null }],
    ['2:1.0-3.el9', { epoch: '2', version: '1.0', release: '3.el9' }],
    [':1.0-1', { epoch: '0', version: '1.0', release: '1' }],
    ['1.1.α-1', { epoch: '0', version: '1.1.α', release: '1' }],
  ])('%s', (text, version) => {
    expect(parseRpmVersion(text)).toEqual({ ok: true, version });
  });

  test.each([
    ['', 'is empty'],
    ['1.0 2', 'has blanks inside'],
    ['4294967296:1', 'epoch 4294967296 is too big'],
    ['3:', 'has nothing for a version'],
    ['-1', 'has nothing for a version'],
    ['1.0-', 'has an empty release'],
    ['1.0-1-2', '"-" in the version'],
    ['a:1.0', 'epoch before ":" is not a number'],
    ['1.0-1:2', '":" in the release'],
  ])('%j: %s', (text, reason) => {
    const parsed = parseRpmVersion(text);
    expect(parsed.ok ? '' : parsed.error).toContain(reason);
    expect(parsed.ok ? '' : parsed.error).toContain(JSON.stringify(text));
  });
});

const version = fc.oneof(
  fc.stringMatching(/^(\d{1,3}:)?[a-zA-B0-3.+~^_]{0,12}(-[a-b0-2.+~^_]{1,4})?$/),
  fc.string({ maxLength: 8 }),
);

describe('a total order', () => {
  test.prop([version, version], { numRuns: 2_000 })('turned round, the sign turns', (a, b) => {
    expect(compareRpmVersions(a, b) + compareRpmVersions(b, a)).toBe(0);
  });

  test.prop([version, version, version], { numRuns: 5_000 })('transitive', (a, b, c) => {
    const [low = '', middle = '', high = ''] = [a, b, c].sort(compareRpmVersions);
    expect(compareRpmVersions(low, middle)).toBeLessThanOrEqual(0);
    expect(compareRpmVersions(middle, high)).toBeLessThanOrEqual(0);
    expect(compareRpmVersions(low, high)).toBeLessThanOrEqual(0);
    if (compareRpmVersions(low, middle) === 0)
      expect(compareRpmVersions(low, high)).toBe(compareRpmVersions(middle, high));
  });

  test.prop([fc.stringMatching(/^\d[a-z0-9.]{0,8}$/)])('usual readings of one version', (text) => {
    expect(compareRpmVersions(text, text)).toBe(0);
    expect(compareRpmVersions(text, `0:${text}`)).toBe(0);
    expect(compareRpmVersions(text, `${text}-0`)).toBe(-1);
    expect(compareRpmVersions(`${text}~`, text)).toBe(-1);
    expect(compareRpmVersions(`${text}^`, text)).toBe(1);
    expect(compareRpmVersions(`1:${text}`, text)).toBe(1);
  });
});
