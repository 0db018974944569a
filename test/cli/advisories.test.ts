import { expect, test } from '@jest/globals';
import {
  advisoriesText,
  advisoryText,
  inventoryText,
  reportedInventoryText,
} from '../../src/cli/advisories.ts';
import type {
  AdvisoryDetail,
  AdvisoryLine,
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

/** Lines of a table with a bar between its columns. */
const rows = (text: string): string[] =>
  text.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));

test('advisories have a line each: whom they concern, and what is decided, also where hosts wait for their mirrors', () => {
  const line = (id: string, more: Partial<AdvisoryLine>): AdvisoryLine => ({
    ...{ feed: 'debian-lists', id, title: 'openssl - security update', severity: 'high' },
    ...{ exploited: false, cves: [], published: null, packages: ['libssl3'] },
    ...{ hosts: 1, notInMirror: 0, decisions: [], ...more },
  });
  const text = advisoriesText([
    line('DSA-1-1', {
      ...{ severity: 'critical', exploited: true, hosts: 12 },
      packages: ['libssl3', 'openssl', 'libssl-dev', 'libssl-doc', 'libcrypto3-udeb'],
      decisions: ['in wave w1', 'too new', 'held on this host'],
    }),
    line('DSA-2-1', {
      notInMirror: 1,
      decisions: [
        'published, not in the mirror of this host yet; its repositories cannot be read: no network',
      ],
    }),
  ]);
  expect(rows(text)).toEqual([
    'ADVISORY | SEVERITY | PACKAGES | HOSTS | DECIDED | TITLE',
    'DSA-1-1 | critical, exploited | libssl3, openssl, libssl-dev and 2 more | 12 | in wave w1, too new and 1 more | openssl - security update',
    'DSA-2-1 | high | libssl3 | 1 | published, not in the mirror of this host yet; its repositories cannot be read: no network | openssl - security update',
  ]);
});

test('that no host lacks a fix is said only of what is known', () => {
  expect(advisoriesText([])).toBe(
    'no host lacks the fix of an advisory that is known; see also: groundswell feeds',
  );
});

test('an inventory has a line for each package: its source, what is offered, and whether it is held', () => {
  const libssl = { name: 'libssl3', arch: 'amd64', source: 'openssl' };
  const text = inventoryText(
    {
      ...{ platform: 'ubuntu-22.04', channels: ['esm-infra', 'esm-apps'] },
      packages: [
        { ...libssl, version: '3.0.2-0ubuntu1.10' },
        { ...libssl, arch: 'i386', version: '3.0.2-0ubuntu1.10' },
        { name: 'nginx', arch: 'amd64', version: '1.18.0-6', held: true },
        { name: 'bash', arch: 'amd64', version: '5.1-6' },
      ],
    },
    [
      { ...libssl, version: '3.0.2-0ubuntu1.12' },
      { name: 'nginx', arch: 'amd64', version: '1.18.0-7' },
    ],
  );
  expect(rows(text)).toEqual([
    'PACKAGE | ARCH | VERSION | SOURCE | OFFERED',
    'libssl3 | amd64 | 3.0.2-0ubuntu1.10 | openssl | 3.0.2-0ubuntu1.12',
    'libssl3 | i386 | 3.0.2-0ubuntu1.10 | openssl',
    'nginx | amd64 | 1.18.0-6 | nginx | 1.18.0-7 (held)',
    'bash | amd64 | 5.1-6 | bash',
    '',
    '4 packages of ubuntu-22.04, 2 of them are offered newer; attached to esm-infra, esm-apps',
  ]);
});

test('a fix that a mirror lacks is said with what the mirror has and why nothing is done', () => {
  const [one] = advisory({}).affected;
  if (one === undefined) throw new Error('none is affected');
  const pending = { ...one, state: 'pending', target: null } as const;
  const text = advisoryText(
    advisory({
      affected: [
        { ...pending, why: 'published, not in the mirror of this host yet' },
        { ...pending, host: 'h2', target: '3.0.2', wave: 'w1', why: 'in wave w1' },
      ],
    }),
  );
  expect(rows(text).slice(4, 7)).toEqual([
    'HOST | PACKAGE | INSTALLED | FIXED IN | MIRROR HAS | STATE | WHY',
    'h1 | libssl3 | 3.0.1 | 3.0.2 | pending | published, not in the mirror of this host yet',
    'h2 | libssl3 | 3.0.1 | 3.0.2 | 3.0.2 | pending | in wave w1',
  ]);
});
