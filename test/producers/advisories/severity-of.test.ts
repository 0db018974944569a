import { expect, test } from '@jest/globals';
import { severityOf } from '../../../src/producers/advisories/severity-of.ts';

test.each([
  ['Important', 'high'],
  [' moderate ', 'medium'],
  ['negligible', 'low'],
  ['constructor', 'unknown'],
  ['__proto__', 'unknown'],
  ['', 'unknown'],
  [null, 'unknown'],
])('%j is %s', (word, severity) => {
  expect(severityOf(word)).toBe(severity);
});
