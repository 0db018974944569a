import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { execaSync } from 'execa';
import {
  compareDebVersions,
  parseDebVersion,
} from '../../../src/core/versions/compare-deb-versions.ts';

const dpkg = (...args: string[]): number | undefined =>
  execaSync('dpkg', args, { reject: false, stdio: 'ignore' }).exitCode;

/** Few characters, so that pairs share beginnings and differ late. */
const part = fc.stringMatching(/^[0-2][0-1aZ.+~]{0,5}$/);
const valid = fc
  .record({
    epoch: fc.constantFrom('', '0:', '1:', '01:'),
    upstream: part,
    revision: fc.constantFrom('', '-', '-0', '-1', '-1~', '-a', '-1+b1', '-00', '-0-1', '-1-1'),
  })
  .map(({ epoch, upstream, revision }) => `${epoch}${upstream}${revision === '-' ? '' : revision}`);

describe('as dpkg does it', () => {
  test.prop([valid, valid], { numRuns: 300 })(
    'order',
    (a, b) => {
      const sign = dpkg('--compare-versions', a, 'lt', b) === 0 ? -1 : 1;
      const equal = dpkg('--compare-versions', a, 'eq', b) === 0;
      expect([a, b, compareDebVersions(a, b)]).toEqual([a, b, equal ? 0 : sign]);
    },
    60_000,
  );

  test.prop(
    [
      fc
        .oneof(valid, fc.stringMatching(/^[0-1a:~ _/-]{1,5}$/))
        .filter((text) => !text.startsWith('-')),
    ],
    { numRuns: 300 },
  )(
    'validity',
    (text) => {
      expect([text, parseDebVersion(text).ok]).toEqual([
        text,
        dpkg('--validate-version', text) === 0,
      ]);
    },
    60_000,
  );
});
