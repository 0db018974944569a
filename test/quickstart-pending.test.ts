import { expect, test } from '@jest/globals';
import { differences, parsePending, parseVersions } from '../quickstart/pending.ts';

const simulated = `NOTE: This is only a simulation!
Inst libperl5.36 [5.36.0-7+deb12u2] (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64]) [perl:amd64 ]
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst libssl3 [3.0.2-0ubuntu1.10] (3.0.2-0ubuntu1.18 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])
Inst brand-new (1.0 Debian-Security:12/oldstable-security [amd64])
Conf libperl5.36 (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64])
`;

test('what is pending is what a suite of security updates has for what is installed', () => {
  expect(parsePending(simulated)).toEqual([
    { name: 'libperl5.36', from: '5.36.0-7+deb12u2', to: '5.36.0-7+deb12u4' },
    { name: 'libssl3', from: '3.0.2-0ubuntu1.10', to: '3.0.2-0ubuntu1.18' },
  ]);
});

test('what did not come, and what else changed, is told apart', () => {
  const before = parseVersions('libssl3:amd64 1\nopenssl 1\nbase-files 1\n');
  const after = parseVersions('libssl3:amd64 2\nopenssl 1\nbase-files 2\nmore 1\n');
  const pending = ['libssl3', 'openssl'].map((name) => ({ name, from: '1', to: '2' }));
  expect(differences(pending, before, after)).toEqual({
    missing: ['openssl has 1 instead of 2'],
    others: ['base-files 1 → 2', 'more none → 1'],
  });
});
