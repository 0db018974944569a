import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toPlain } from '../../src/config/located.ts';
import type { Located } from '../../src/config/located.ts';
import { readConfiguration } from '../../src/config/load-config.ts';
import { parseYaml } from '../../src/config/parse-yaml.ts';
import { Configuration } from '../../src/config/schema.ts';
import { defaultHostSettings, hostSettingsOf, serverServices } from '../../src/config/services.ts';

const text = readFileSync('packaging/config.yaml', 'utf8');

const parse = (source: string): Located => {
  const parsed = parseYaml(source, 'config.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
};
const read = (source: string): Configuration => {
  const result = readConfiguration(parse(source));
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2));
  return result.config;
};
const defaults = Configuration.parse({});

/** `#option: …` and what follows it with `#` and no option of its own: the lines of a list. */
const withDefaults = text
  .replace(/^( *)#(?! |$)/gm, '$1')
  .replace(/^#(?= {2}[a-z])|^#(?=\]$)/gm, '');

/** Indented blocks after `# Example …:` and a bare `#`. */
const examples = [...text.matchAll(/^# Example[^\n]*:\n#\n((?:#(?: {3}.*)?\n)+)/gm)].map(
  ([, block]) => (block ?? '').replace(/^# {3}|^#$/gm, ''),
);

describe('the commented default configuration', () => {
  test('as it is installed, everything has its default', () => {
    expect(read(text)).toEqual(defaults);
  });

  test('the defaults that it shows are the defaults', () => {
    const shown = toPlain(parse(withDefaults));
    expect(read(withDefaults)).toEqual(defaults);
    // What has a default and is not shown would be missing here.
    expect(shown).toEqual({
      ...defaults,
      redis: undefined,
      fetch: undefined,
      server: {
        socket: defaults.server.socket,
        audit: { sealAfterDays: defaults.server.audit.sealAfterDays },
      },
    });
  });

  test('its examples are valid, and show what they say', () => {
    expect(examples).toHaveLength(5);
    const config = read(examples.join('\n'));
    const [server] = serverServices(config);
    expect(server).toEqual({
      ...{ name: 'web', budget: { maxUnavailable: 1 }, mode: 'approve', restartBroken: false },
      match: [{ container: 'web-*' }, { host: 'edge-*', group: 'front' }],
    });
    const host = hostSettingsOf(config, 'web');
    const { health, beforeStop, afterHealthy, haproxy, ...rest } = host;
    expect({ ...rest, health: { kind: 'running' } }).toEqual(defaultHostSettings);
    expect(health.kind).toBe('http');
    expect([beforeStop?.length, afterHealthy?.length]).toEqual([3, 4]);
    expect(haproxy).toMatchObject({ server: '{name}', timeoutMs: 30_000 });
  });

  test('no option is missing in it', () => {
    const names = new Set<string>();
    const collect = (shape: object): void => {
      for (const [key, value] of Object.entries(shape) as [string, unknown][]) {
        if (key === 'properties') Object.keys(value as object).forEach((name) => names.add(name));
        if (typeof value === 'object' && value !== null) collect(value);
      }
    };
    collect(z.toJSONSchema(Configuration, { io: 'input' }));
    expect(names.size).toBeGreaterThan(40);
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });
});
