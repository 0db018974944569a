import { describe, expect, test } from '@jest/globals';
import { parseRpmList } from '../../../src/core/advisories/parse-rpm-list.ts';

const line = (...columns: string[]): string => `${columns.join('\t')}\n`;

describe('what rpm lists', () => {
  test('with epoch, source and module where there are any', () => {
    const text = [
      line(
        'bind',
        '32',
        '9.16.23',
        '18.el9',
        'x86_64',
        'bind-9.16.23-18.el9.src.rpm',
        '(none)',
        '1795492478',
      ),
      line(
        'npm',
        '1',
        '9.8.1',
        '1.18.18.2',
        'x86_64',
        'nodejs-18.18.2-2.module+el9.src.rpm',
        'nodejs:18:9020020:rhel9',
      ),
      line('basesystem', '(none)', '11', '13.el9', 'noarch', '(none)', '(none)'),
      line('gpg-pubkey', '(none)', 'b86b3716', '61e69f29', '(none)', '(none)', '(none)'),
      '\n',
    ].join('');
    expect(parseRpmList(text)).toEqual([
      {
        ...{ name: 'bind', arch: 'x86_64', version: '32:9.16.23-18.el9' },
        ...{ source: 'bind', sourceVersion: '32:9.16.23-18.el9', module: null },
      },
      {
        ...{ name: 'npm', arch: 'x86_64', version: '1:9.8.1-1.18.18.2', module: 'nodejs:18' },
        // Whether its source has that epoch too, nothing tells.
        ...{ source: 'nodejs', sourceVersion: '18.18.2-2.module+el9' },
      },
      { name: 'basesystem', arch: 'noarch', version: '11-13.el9', module: null },
    ]);
  });

  test('with the vendor, where that was asked for', () => {
    const columns = ['a', '0', '1', '1', 'noarch', '(none)', '(none)'];
    const vendors = ['AlmaLinux', '(none)', '1795492478', ''].map(
      (eighth) => parseRpmList(line(...columns, eighth))[0]?.vendor,
    );
    expect(vendors).toEqual(['AlmaLinux', undefined, undefined, undefined]);
  });

  test.each([
    ['bind-9.16.23-18.el9.x86_64\n'],
    [line('bind', 'x', '9', '1', 'x86_64')],
    [line('bind', '0', '', '1', 'x86_64')],
  ])('what is none of that is named with its line: %j', (text) => {
    expect(() => parseRpmList(`${line('a', '0', '1', '1', 'noarch')}${text}`)).toThrow(
      /line 2: .*want name/,
    );
  });
});
