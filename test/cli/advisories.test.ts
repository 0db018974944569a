import { expect, test } from '@jest/globals';
import { advisoryText, reportedInventoryText } from '../../src/cli/advisories.ts';
import type {
  AdvisoryDetail,
  HostInventoryView,
} from '../../src/core/advisories/advisory-views.ts';

const advisory = (more: Partial<AdvisoryDetail>): AdvisoryDetail => ({
  ...{ feed: 'debian-lists', id: 'DSA-1-1', title: 'openssl', severity: 'high', exploited: false },
  ...{ cves: ['CVE-2026-1'], published: '2026-11-01T00:00:00Z', packages: ['libssl3'], hosts: 1 },
  ...{ notInMirror: 0, decisions: [], vendorSeverity: null, withdrawn: false, containers: [] },
  ...{ firstSeen: '2026-11-01T10:20:30.000Z' },
  affected: [
    {
      ...{ host: 'h1', package: 'libssl3', arch: 'amd64', installed: '3.0.1', fixed: '3.0.2' },
      ...{
        state: 'applied',
        target: null,
        from: null,
        reboot: false,
        wave: null,
        why: 'has the fix',
      },
    },
  ],
  ...more,
});

test('an advisory names the containers that run old code on the hosts that it concerns', () => {
  const names = Array.from({ length: 10 }, (_, index) => `web-${index}`);
  const text = advisoryText(
    advisory({
      containers: [
        { host: 'h1', count: 12, stale: names },
        { host: 'h2', count: 1, stale: ['db'] },
        { host: 'h3', count: 2, stale: [] },
      ],
    }),
  );
  expect(text.split('\n').slice(-4)).toEqual([
    'h1 has 12 containers; old code runs now in web-0, web-1, web-2, web-3, web-4, web-5, web-6, web-7 and 2 more',
    'h2 has 1 container; old code runs now in db',
    'h3 has 2 containers, none of which runs old code now',
    '0 to be upgraded, 1 fixed already, 0 without a fix',
  ]);
});

const view: HostInventoryView = {
  ...{ host: 'h1', offers: [], reportedAt: '2026-11-01T10:00:00.000Z' },
  inventory: { platform: 'debian-12', packages: [] },
  ...{ refreshedAt: '2026-11-01T09:00:00.000Z', refreshProblem: null },
};

test.each([
  [{}, 'its repositories were read 3h ago'],
  [{ refreshedAt: null }, 'its repositories were not read since its agent began'],
  [{ refreshProblem: 'no key' }, 'its repositories cannot be read: no key'],
])('what a host reported is shown with its age (%j)', (more, repositories) => {
  const text = reportedInventoryText({ ...view, ...more }, Date.parse('2026-11-01T12:00:00.000Z'));
  expect(text.split('\n').at(-1)).toBe(`reported 2h ago; ${repositories}`);
});
