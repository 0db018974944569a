import { describe, expect, test } from '@jest/globals';
import { parseGroup } from '../../../src/host/dnf/parse-group.ts';
import { parseRepositoryIds } from '../../../src/host/dnf/parse-offers.ts';
import { parseTransaction } from '../../../src/host/dnf/parse-transaction.ts';
import { coreOf, ownRepositories } from '../../../src/host/dnf/read-release-core.ts';
import { recorded } from './recorded.ts';

describe.each([4, 5])('dnf %i', (generation) => {
  const read = (name: string): string => recorded(`dnf${generation}-${name}.txt`);

  test('a group: what is optional or conditional is no part of it', () => {
    expect(parseGroup(read('group-info-core'))).toEqual({
      mandatory: ['gs-init', 'gs-shell'],
      default: ['gs-network', 'gs-not-in-the-repository'],
    });
  });

  test('repositories', () => {
    expect(parseRepositoryIds(read('repolist'))).toEqual(['baseos', 'epel']);
  });

  test('a core: what of the group there is, and what it needs', () => {
    const group = parseGroup(read('group-info-core')) ?? { mandatory: [], default: [] };
    const { installs } = parseTransaction(read('install-core'));
    const names = installs.map(({ name }) => name);
    expect(coreOf(group, names)).toEqual([
      { name: 'gs-bus', why: 'dependency' },
      { name: 'gs-init', why: 'mandatory', of: 'core' },
      { name: 'gs-libc', why: 'dependency' },
      { name: 'gs-network', why: 'default', of: 'core' },
      { name: 'gs-shell', why: 'mandatory', of: 'core' },
    ]);
  });
});

test('no group', () => {
  expect(parseGroup('')).toBeNull();
});

test.each([
  ['almalinux', ['baseos', 'appstream', 'epel', 'acme'], ['baseos', 'appstream']],
  ['amzn', ['amazonlinux', 'docker-ce-stable'], ['amazonlinux']],
  ['a mirror under names of its own', ['acme-base', 'epel', 'docker-ce-stable'], ['acme-base']],
  ['nothing', [], []],
])('whose repositories: %s', (distro, ids, own) => {
  expect(ownRepositories(ids, distro)).toEqual(own);
});
