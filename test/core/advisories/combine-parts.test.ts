import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Advisory, AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { Severity } from '../../../src/core/advisories/advisory.ts';
import { combineParts, graver } from '../../../src/core/advisories/combine-parts.ts';

const row = (name: string): AffectedRow => ({
  ...{ distro: 'almalinux', release: '9', channel: null, names: 'binary', name, arch: null },
  ...{ module: null, status: 'fixed', fixed: '1-1', note: null, scheme: 'rpm' },
});

const part = (more: Partial<Advisory>): Advisory => ({
  ...{ feed: 'osv', id: 'ALSA-1', kind: 'security', title: 'one', cves: [], affected: [] },
  ...{ published: null, modified: null, withdrawn: false, severity: 'low', vendorSeverity: null },
  ...more,
});

test('rows and CVEs of all parts, each once', () => {
  const combined = combineParts([
    part({ affected: [row('b'), row('a')], cves: ['CVE-2'], published: '2026-01-02' }),
    part({ affected: [row('a')], cves: ['CVE-1', 'CVE-2'], published: '2026-01-01' }),
  ]);
  expect(combined.affected.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(combined).toMatchObject({ cves: ['CVE-1', 'CVE-2'], published: '2026-01-01' });
});

test('where one part is withdrawn, all of it is; the graver word and the later change count', () => {
  expect(
    combineParts([
      part({ severity: 'unknown', modified: '2026-01-01' }),
      part({ severity: 'high', modified: '2026-01-03', withdrawn: true }),
    ]),
  ).toMatchObject({ severity: 'high', modified: '2026-01-03', withdrawn: true });
  expect(graver('unknown', 'low')).toBe('low');
});

test('says the same in whatever order the parts and their rows come', () => {
  const parts = fc.array(
    fc.record({
      affected: fc.array(fc.constantFrom('a', 'b', 'c').map(row)),
      cves: fc.array(fc.constantFrom('CVE-1', 'CVE-2', 'CVE-3')),
      withdrawn: fc.boolean(),
      severity: fc.constantFrom(...Severity.options),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(parts, (some) => {
      const made = some.map(part);
      expect(combineParts(made.toReversed())).toEqual(combineParts(made));
    }),
  );
});
