import { expect, test } from '@jest/globals';
import { productStreams } from '../../../src/core/advisories/channels-of.ts';
import { placeOfCpe } from '../../../src/producers/advisories/place-of-cpe.ts';
import { oracle, tableOf } from './oracle-files.ts';
import { deb, found, rpmRow } from './rows.ts';

const isGot = (repository: string, cpe: string): boolean => {
  const place = placeOfCpe(cpe);
  if (place === null) return false;
  const row = rpmRow({ ...place, name: 'a', fixed: '1-2' });
  const on = { platform: `rhel-${place.release}` };
  return found([row], [deb('a', '1-1', { repository })], on).length > 0;
};

test.each([
  ['rhocp-4.14-for-rhel-9-x86_64-rpms', 'cpe:/a:redhat:openshift:4.14::el9', true],
  ['rhocp-4.14-for-rhel-9-x86_64-rpms', 'cpe:/a:redhat:openshift:4.15::el9', false],
  ['rhocp-4.1-for-rhel-8-x86_64-rpms', 'cpe:/a:redhat:openshift:4.14::el8', false],
  [
    'ansible-automation-platform-2.4-for-rhel-9-x86_64-rpms',
    'cpe:/a:redhat:ansible_automation_platform:2.4::el9',
    true,
  ],
  ['rhceph-6-tools-for-rhel-9-x86_64-rpms', 'cpe:/a:redhat:ceph_storage:6.1::el9', true],
  ['rhceph-5-tools-for-rhel-9-x86_64-rpms', 'cpe:/a:redhat:ceph_storage:6.1::el9', false],
  [
    'jb-eap-7.4-for-rhel-9-x86_64-rpms',
    'cpe:/a:redhat:jboss_enterprise_application_platform:7.4::el9',
    true,
  ],
  ['rhel-server-rhscl-7-rpms', 'cpe:/a:redhat:rhel_software_collections:3::el7', true],
  ['rhel-7-server-ose-3.11-rpms', 'cpe:/a:redhat:openshift:3.11::el7', true],
  ['rhel-9-for-x86_64-appstream-rpms', 'cpe:/a:redhat:openshift:4.14::el9', false],
  ['codeready-builder-for-rhel-9-x86_64-rpms', 'cpe:/a:redhat:openshift:4.14::el9', false],
])('a host with %s gets what is for %s: %s', (repository, cpe, expected) => {
  expect(isGot(repository, cpe)).toBe(expected);
});

/** What these are called in CPEs, nothing in their own ids leads to. */
const others = [
  '3scale-amp-2-rpms-for-rhel-8-x86_64-rpms',
  'ansible-automation-platform-azure-billing-for-rhel-9-x86_64-rpms',
  'ansible-inside-1.1-for-rhel-8-x86_64-rpms',
  'ansible-inside-1.1-for-rhel-9-x86_64-rpms',
  'dirsrv-11-for-rhel-8-x86_64-eus-rpms',
  'dirsrv-12-for-rhel-9-x86_64-eus-rpms',
  'openstack-dev-preview-for-rhel-9-x86_64-rpms',
];

test('as Red Hat itself tells of its repositories', () => {
  const streams = new Set([...productStreams, 'extras']);
  const products = tableOf<'repository' | 'cpes'>(oracle('repository-to-cpe.tsv.gz')).flatMap(
    ({ repository, cpes }) => {
      if (!/-for-rhel-(?:[89]|\d\d)-/.test(repository)) return [];
      const own = cpes.split(' ').filter((cpe) => {
        const channel = placeOfCpe(cpe)?.channel ?? null;
        return channel !== null && !streams.has(channel);
      });
      return own.length === 0 ? [] : [{ repository, own }];
    },
  );
  const missed = products.filter(
    ({ repository, own }) => !own.some((cpe) => isGot(repository, cpe)),
  );
  expect(products.length).toBeGreaterThan(0);
  expect(missed.map(({ repository }) => repository)).toEqual(others);
});
