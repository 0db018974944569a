import { describe, expect, test } from '@jest/globals';
import type { ContainerScan } from '../../../../src/core/observation.ts';
import { verificationOf } from '../../../../src/workers/agent/effects/verify.ts';

const clean: ContainerScan = {
  name: 'web-01',
  instance: null,
  processes: 1,
  stale: [],
  shadowed: [],
  unreadable: [],
};
const stale: ContainerScan['stale'][number] = {
  ...{ pid: 1, startTime: '1', command: 'web', path: '/usr/lib/libssl.so.3' },
  ...{ kind: 'replaced', process: 'container' },
};
const copyOf = (name: string): ContainerScan['shadowed'][number] => ({
  ...{ path: `/usr/lib/${name}`, kind: 'copy', ownVersion: null, package: name },
});
const unreadable = { what: 'process 1', reason: 'EACCES' };

describe('what a restart came to', () => {
  test.each<[string, Partial<ContainerScan>, string[] | null, string]>([
    ['nothing old, no copy', {}, ['libssl3'], 'verified'],
    [
      'a process that maps old code',
      { stale: [stale], shadowed: [copyOf('libssl3')] },
      null,
      'stale',
    ],
    [
      'something that cannot be read',
      { unreadable: [unreadable], shadowed: [copyOf('libssl3')] },
      null,
      'unknown',
    ],
    ['a copy of a patched file', { shadowed: [copyOf('libssl3')] }, ['libssl3'], 'shadowed'],
    ['a copy of another package’s file', { shadowed: [copyOf('nginx')] }, ['libssl3'], 'verified'],
    ['copies of both', { shadowed: [copyOf('nginx'), copyOf('libssl3')] }, ['libssl3'], 'shadowed'],
    [
      'a copy, and nobody knows what was patched',
      { shadowed: [copyOf('nginx')] },
      null,
      'shadowed',
    ],
  ])('%s', (_, found, patched, expected) => {
    expect(verificationOf({ ...clean, ...found }, patched)).toBe(expected);
  });
});
