import { expect, test } from '@jest/globals';
import { planAdvisory } from '../../../src/core/coordinator/plan-advisory.ts';
import type { AdvisoryPlan } from '../../../src/core/coordinator/plan-advisory.ts';
import { auto, begin, need, tell, waves } from './advisory-scene.ts';
import { observed, view } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const planOf = (here: Scene, id = 'DSA-1-1'): AdvisoryPlan =>
  planAdvisory(here.fleet, id, { now: here.now, wallMs: here.wall.ms }, () => 7_000);
const window = { fromMinute: 0, toMinute: 60 };

test('a plan says what comes to which host, what comes along, and what is not there yet', () => {
  const here = begin([auto], { window });
  const openssl = { source: 'openssl', installed: '3.0.1', target: '3.0.2' };
  tell(
    here,
    [
      need({ ...openssl, name: 'libssl3', siblings: ['libssl-dev', 'openssl'] }),
      need({ ...openssl, name: 'openssl', siblings: ['libssl-dev', 'libssl3'] }),
      need({ name: 'zlib1g', offered: [{ feed: 'debian', id: 'DSA-2-1' }] }),
    ],
    ['h1'],
  );
  const lacking = { target: null, firstSeen: null, offered: [], siblings: [] };
  const waiting = [{ feed: 'debian', id: 'DSA-1-1' }];
  tell(here, [need({ ...lacking, waiting })], ['h2'], 'no key of that repository');
  const { hosts } = planOf(here);
  expect(hosts).toMatchObject([
    {
      host: 'h1',
      upgrades: [
        { package: 'libssl3', from: '3.0.1', to: '3.0.2' },
        { package: 'openssl', from: '3.0.1', to: '3.0.2' },
      ],
      along: ['libssl-dev'],
      notOffered: [],
      decisions: [`in wave ${waves(here)[0]?.id ?? ''}`],
    },
    {
      ...{ host: 'h2', upgrades: [], along: [], notOffered: [{ package: 'libssl3', from: '1' }] },
      decisions: [
        'published, not in the mirror of this host yet; its repositories cannot be read: no key of that repository',
      ],
    },
  ]);
  expect(planOf(here, 'DSA-9-9')).toEqual({ hosts: [], atMostMs: 0 });
});

test('containers that come into question are named, and those that cannot be restarted with why', () => {
  const here = begin([auto], { window });
  here.report(
    'h1',
    observed([
      view('web-h1', { stale: [] }),
      view('web-2', { stale: [], optOut: { reason: 'sale', until: null } }),
      view('web-own', { stale: [], onHostRoot: false }),
    ]),
  );
  tell(here, [need()], ['h1']);
  const { hosts, atMostMs } = planOf(here);
  expect(hosts[0]?.containers).toEqual([
    { container: 'h1/web-h1', service: 'web', impossible: null },
    { container: 'h1/web-2', service: 'web', impossible: 'opted out: sale' },
  ]);
  expect(atMostMs).toBe(7_000);
});
