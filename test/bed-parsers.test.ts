import { describe, expect, test } from '@jest/globals';
import { parseDeb822Sources, parseOneLineSources } from './bed/apt-sources.ts';
import { parseServerStatistics } from './bed/haproxy-runtime.ts';

describe('the mirror is read from the machine', () => {
  test('from one-line sources, with options, comments and deb-src left out', () => {
    const text = [
      '# deb http://old.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm main',
      'deb-src http://mirror.example/debian bookworm main',
      '  deb https://mirror.example/security bookworm-security main contrib',
      '',
    ].join('\n');
    expect(parseOneLineSources(text)).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm' },
      { uri: 'https://mirror.example/security', suite: 'bookworm-security' },
    ]);
  });

  test('from deb822 stanzas, with lists over several lines and disabled ones left out', () => {
    const text = [
      'Types: deb deb-src',
      '# a comment within',
      'URIs: http://mirror.example/debian',
      'Suites: bookworm',
      ' bookworm-updates',
      'Components: main',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://disabled.example/debian',
      'Suites: bookworm',
      '',
      'Types: deb-src',
      'URIs: http://source.example/debian',
      'Suites: bookworm',
      '',
    ].join('\n');
    expect(parseDeb822Sources(text)).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm' },
      { uri: 'http://mirror.example/debian', suite: 'bookworm-updates' },
    ]);
  });
});

test('servers are read from show stat by the names of its columns', () => {
  const csv = [
    '# pxname,svname,qcur,scur,status,extra,',
    'web,web-01,0,3,UP,x,',
    'web,web-02,0,0,MAINT,y,',
    '',
    '',
  ].join('\n');
  expect(parseServerStatistics(csv)).toEqual([
    { backend: 'web', server: 'web-01', status: 'UP', sessions: 3 },
    { backend: 'web', server: 'web-02', status: 'MAINT', sessions: 0 },
  ]);
});
