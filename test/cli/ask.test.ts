import { describe, expect, test } from '@jest/globals';
import { parseHosts, parseWanted } from '../../src/cli/ask.ts';

describe('what an operator asks to upgrade', () => {
  test('hosts are one or several, each once', () => {
    expect(parseHosts('h1')).toEqual(['h1']);
    expect(parseHosts('h1,h2, h1')).toEqual(['h1', 'h2']);
    expect(() => parseHosts('h1,')).toThrow('want a host, or several such as h1,h2');
    expect(() => parseHosts('')).toThrow('want a host');
  });

  test('packages have a version, at least one, or none', () => {
    expect(parseWanted('libssl3')).toEqual({ name: 'libssl3', want: 'newest', version: null });
    expect(parseWanted('libssl3=3.0-1')).toMatchObject({ want: 'exact', version: '3.0-1' });
    expect(parseWanted('libssl3>=3.0-1')).toMatchObject({ want: 'at-least', version: '3.0-1' });
    expect(() => parseWanted('lib ssl')).toThrow('cannot read lib ssl');
  });
});
