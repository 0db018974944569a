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

  test.each([
    ...['libssl3', 'libstdc++6', 'libssl3:amd64', 'g++-12', 'python3.11', '0ad'],
    ...[
      'NetworkManager',
      'python3-PyYAML',
      'R',
      'perl-libs',
      'libstdc++',
      'kernel_tools',
      '_hidden',
    ],
  ])('%s is a package of dpkg or rpm', (name) => {
    expect(parseWanted(name)).toEqual({ name, want: 'newest', version: null });
    expect(parseWanted(`${name}>=1:2.0-1.el9`)).toEqual({
      ...{ name, want: 'at-least', version: '1:2.0-1.el9' },
    });
  });

  test.each([
    ...[
      '',
      '-o',
      '../x',
      'a/b',
      'libssl3:',
      'libssl3:amd64:x',
      'a>1',
      'a<1',
      'a=',
      'a>=',
      'é',
      'a%b',
    ],
    ...['+a', '.a', 'a\n', '_a:amd64'],
  ])('%j is none', (text) => {
    expect(() => parseWanted(text)).toThrow('want a package such as libssl3');
  });
});
