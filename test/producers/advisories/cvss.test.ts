import { describe, expect, test } from '@jest/globals';
import { baseScore, severityOfVector } from '../../../src/producers/advisories/cvss.ts';

describe('CVSS', () => {
  // As the specifications' examples and NVD score them.
  test.each<[string, number, string]>([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'critical'],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10, 'critical'],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5, 'high'],
    ['CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L', 4, 'medium'],
    ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:H', 6.6, 'medium'],
    ['CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:N/A:N', 6.8, 'medium'],
    ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4, 'medium'],
    ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1, 'low'],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0, 'low'],
    ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:L/I:L/A:L/E:P/RL:O', 4.3, 'medium'],
    ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8, 'high'],
    ['AV:N/AC:L/Au:N/C:C/I:C/A:C', 10, 'critical'],
    ['(AV:L/AC:H/Au:N/C:C/I:C/A:C)', 6.2, 'medium'],
    ['AV:N/AC:M/Au:N/C:N/I:P/A:N', 4.3, 'medium'],
    ['AV:L/AC:L/Au:N/C:N/I:N/A:N', 0, 'low'],
  ])('%s is %d, %s', (vector, score, severity) => {
    expect(baseScore(vector)).toBe(score);
    expect(severityOfVector(vector)).toBe(severity);
  });

  test.each([
    '',
    '7.5',
    'CVSS:3.1/AV:N',
    'CVSS:3.1/AV:N/AC:L/PR:X/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:__proto__/C:H/I:H/A:H',
    'CVSS:3.1/AV:__proto__/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:3.1/AV:N/AC:L/PR:constructor/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N',
  ])('%j has no score', (vector) => {
    expect(severityOfVector(vector)).toBe('unknown');
  });
});
