import { expect, test } from '@jest/globals';
import { kev } from '../../../../src/producers/advisories/kev/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

test('each vulnerability is an advisory that concerns no package', async () => {
  const { advisories, problems } = await parsed(kev, [
    fileOf('kev.json', fixture('kev/catalogue.json')),
  ]);
  expect(problems).toEqual([]);
  expect(advisories).toMatchObject([
    { id: 'CVE-2021-44228', cves: ['CVE-2021-44228'], affected: [], severity: 'unknown' },
    { id: 'CVE-2022-0847', title: 'Linux Kernel Privilege Escalation Vulnerability' },
  ]);
});

test('an entry without an id is named, and the others are kept', async () => {
  const text = JSON.stringify({ vulnerabilities: [{ cveID: 'x' }, { cveID: 'CVE-2022-0847' }] });
  const { advisories, problems } = await parsed(kev, [fileOf('kev.json', text)]);
  expect(problems).toEqual([
    {
      ...{ file: 'kev.json', record: 'vulnerability 1', field: 'cveID' },
      reason: 'no id of a vulnerability',
    },
  ]);
  expect(advisories.map(({ id }) => id)).toEqual(['CVE-2022-0847']);
});
