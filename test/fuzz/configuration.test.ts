import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/jest';
import { afterAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { isLong, mutatedBytes } from './mutations.ts';

const runs = isLong ? { numRuns: 20_000 } : { numRuns: 100, seed: 4 };

const directory = mkdtempSync(join(tmpdir(), 'gs-fuzz-config-'));
mkdirSync(join(directory, 'config.d'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The one that is installed, and one that sets much of what can be set. */
const main = readFileSync(new URL('../../packaging/config.yaml', import.meta.url));
const dropIn = Buffer.from(`redis: { url: "redis://user:secret@redis.example:6379/0" }
agent:
  hostId: web-1
  zone: rack-1
services:
  - name: web
    match: [{ container: "web-*" }, { group: web }]
    budget: { maxUnavailable: 1 }
    health: { kind: running }
  - { name: db, mode: approve, match: [{ group: db }] }
`);

const load = async (first: Uint8Array, second: Uint8Array, environment = {}) => {
  const file = join(directory, 'config.yaml');
  writeFileSync(file, first);
  writeFileSync(join(directory, 'config.d', '10-own.yaml'), second);
  return loadConfig({ file, environment });
};

test('both are right as they are', async () => {
  expect(await load(main, dropIn)).toMatchObject({ ok: true });
});

test('a configuration that is changed at random is read, or each fault of it is named with file and remedy', async () => {
  const changed = fc.tuple(
    fc.oneof(fc.constant(main), fc.constant(Buffer.alloc(0)), mutatedBytes(main)),
    fc.oneof(fc.constant(dropIn), mutatedBytes(dropIn)),
    fc.option(fc.string({ maxLength: 40 })),
  );
  await fc.assert(
    fc.asyncProperty(changed, async ([first, second, secret]) => {
      const environment = secret === null ? {} : { GROUNDSWELL_LOG_LEVEL: secret };
      const loaded = await load(first, second, environment);
      if (loaded.ok) {
        loaded.notes(0);
        return;
      }
      expect(loaded.problems.length).toBeGreaterThan(0);
      expect(loaded.problems.length).toBeLessThan(200);
      for (const problem of loaded.problems) {
        expect(problem.file).toMatch(/config\.yaml$|10-own\.yaml$|^environment variable /);
        expect(problem.message).not.toMatch(
          /Maximum call stack|undefined|\[object|drop-ins cannot/,
        );
        expect(problem.message).not.toBe('');
        expect(formatProblem(problem).length).toBeLessThan(5_000);
      }
    }),
    runs,
  );
});
