import { expect, test } from '@jest/globals';
import { fleetSettingsOf } from '../../src/config/fleet-settings.ts';
import { readConfiguration } from '../../src/config/load-config.ts';
import { parseYaml } from '../../src/config/parse-yaml.ts';
import type { PolicyRule } from '../../src/core/coordinator/policy.ts';

const policiesOf = (text: string): Readonly<Record<string, readonly PolicyRule[]>> => {
  const parsed = parseYaml(text, 'config.yaml');
  if (!parsed.ok) throw new Error('no YAML');
  const result = readConfiguration(parsed.value);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return fleetSettingsOf(result.config, {}).policies;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test('rules of platforms are what the coordinator goes by, in their order and its units', () => {
  const policies = policiesOf(`
platforms:
  debian-12:
    policy:
      - { exploited: true, mode: auto }
      - severity: [critical, high]
        core: true
        exploited: false
        kind: [security, bugfix]
        mode: auto
        minAgeHours: 24
        earliestHours: 1.5
        latestHours: 72
        whenMirrorMoved: start-over
      - { core: false, mode: observe }
  almalinux-9: {}
`);
  const whatever = {
    ...{ severities: null, core: null, exploited: null, kinds: ['security'] },
    ...{ minAgeMs: 0, earliestMs: 0, latestMs: null, whenMirrorMoved: 'wait' },
  };
  expect(policies).toEqual({
    'debian-12': [
      { ...whatever, exploited: true, mode: 'auto' },
      {
        ...{ severities: ['critical', 'high'], core: true, exploited: false },
        ...{ kinds: ['security', 'bugfix'], mode: 'auto', whenMirrorMoved: 'start-over' },
        ...{ minAgeMs: 24 * hourMs, earliestMs: 90 * minuteMs, latestMs: 72 * hourMs },
      },
      { ...whatever, core: false, mode: 'observe' },
    ],
    'almalinux-9': [],
  });
});

test('a latest start of none is at once, not never', () => {
  const [rule] =
    policiesOf('platforms: {debian-12: {policy: [{mode: auto, latestHours: 0}]}}')['debian-12'] ??
    [];
  expect(rule?.latestMs).toBe(0);
});
