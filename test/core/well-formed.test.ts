import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import canonicalize from 'canonicalize';
import { wellFormed } from '../../src/core/well-formed.ts';

describe('texts that can be signed', () => {
  test('half a pair becomes U+FFFD, at any depth and in keys', () => {
    const value = { a: ['x\ud83d', { '\udc00k': 'y\udc00\ud83d' }], whole: '😀', n: 1, none: null };
    expect(wellFormed(value)).toEqual({
      ...{ a: ['x\ufffd', { '\ufffdk': 'y\ufffd\ufffd' }], whole: '😀', n: 1, none: null },
    });
  });

  test('what only looks like an escape stays, and so does what needs nothing', () => {
    const value = { path: '\\ud83d', twice: '\\\\ud83d', after: '\\\ud83d' };
    expect(wellFormed(value)).toEqual({ path: '\\ud83d', twice: '\\\\ud83d', after: '\\\ufffd' });
    const plain = { a: 'ü😀' };
    expect(wellFormed(plain)).toBe(plain);
  });

  const unit = fc.constantFrom('\ud83d', '\ude00', '\\', 'u', 'd83d', 'ü', '"', '\u0000');
  const text = fc.array(unit, { maxLength: 8 }).map((units) => units.join(''));
  test.prop([fc.array(fc.oneof(text, fc.record({ a: text })), { maxLength: 4 })])(
    'whatever it was, it can be written',
    (value) => {
      expect(() => canonicalize(wellFormed(value))).not.toThrow();
      expect(JSON.stringify(wellFormed(value))).not.toMatch(/(^|[^\\])(\\\\)*\\ud/);
    },
  );
});
