import { expect, test } from '@jest/globals';
import { dnfEndReader } from '../../../src/host/dnf/end-reader.ts';
import { recorded } from './recorded.ts';

const reader = dnfEndReader({ root: '/nowhere', dbPath: '/var/lib/rpm' });

test('the inventory after it is the launcher’s copy', async () => {
  const after = await reader.readAfter(recorded('rpm-qa.tsv'), 'status.after');
  expect(after).toContainEqual({
    ...{ name: 'gs-two', arch: 'noarch', version: '1.1-1.el9' },
    ...{ source: 'gs-two', sourceVersion: '1.1-1.el9' },
  });
});

test.each([
  [null, 'killed'],
  [137, 'killed'],
  [1, 'other'],
])('ended with %s, of which nothing was said: %s', (exitCode, kind) => {
  expect(reader.failureOf('Running transaction\n', exitCode).kind).toBe(kind);
});

test('what was said counts more', () => {
  const full = recorded('dnf4-upgrade-disk-full.txt');
  expect(reader.failureOf(full, 137).kind).toBe('disk-full');
});
