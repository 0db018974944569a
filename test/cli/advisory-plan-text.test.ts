import { expect, test } from '@jest/globals';
import { advisoryPlanText } from '../../src/cli/advisory-plan-text.ts';

test('a plan has a line for each host: what it gets, what comes along, what its mirror lacks, what is decided', () => {
  const unread =
    'published, not in the mirror of this host yet; its repositories cannot be read: no network';
  const text = advisoryPlanText({
    hosts: [
      {
        host: 'h1',
        upgrades: [{ package: 'libssl3', from: '3.0.1', to: '3.0.2' }],
        along: ['libssl-dev', 'openssl'],
        notOffered: [],
        decisions: ['in wave w1'],
        containers: [
          { container: 'h1/web-1', service: 'web', impossible: null },
          { container: 'h1/web-2', service: 'web', impossible: null },
          { container: 'h1/db-1', service: 'db', impossible: null },
          { container: 'h1/db-2', service: 'db', impossible: 'opted out: sale' },
        ],
      },
      {
        ...{ host: 'h2', upgrades: [], along: [] },
        notOffered: [{ package: 'libssl3', from: '3.0.1' }],
        ...{ decisions: [unread], containers: [] },
      },
    ],
    atMostMs: 20_400,
  });
  expect(text.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'HOST | UPGRADE | CONTAINERS | DECIDED',
    'h1 | libssl3 3.0.1 -> 3.0.2, libssl-dev (comes along), openssl (comes along) | web 2, db 1 | in wave w1',
    `h2 | libssl3 3.0.1 (no fix in its mirror yet) | ${unread}`,
    '',
    '2 hosts, one after another; of 3 containers there, those that run code of these packages are restarted: about 21 s if all do',
    'h1/db-2 is left out: opted out: sale',
  ]);
});

test('one that nobody needs would do nothing', () => {
  expect(advisoryPlanText({ hosts: [], atMostMs: 0 })).toBe(
    'no host lacks a fix of it: nothing would be done',
  );
});
