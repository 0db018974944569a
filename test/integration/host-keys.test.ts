import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetEvent } from '../../src/core/coordinator/step.ts';
import { signEnvelope } from '../../src/jobs/envelope.ts';
import { addKey, loadOrMakeKeys, switchKey } from '../../src/jobs/key-files.ts';
import { writeReport } from '../../src/jobs/read-report.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import type { SigningKey } from '../../src/jobs/signing-key.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openHostKeys } from '../../src/workers/control/host-keys.ts';
import type { HostKeys } from '../../src/workers/control/host-keys.ts';
import { createReportOrder } from '../../src/workers/control/report-order.ts';
import { takeReport } from '../../src/workers/control/take-reports.ts';

let directory: string;
let store: Store;
let hostKeys: HostKeys;
let taken: FleetEvent[];
let refused: string[];
let atMs = 1;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-host-keys-'));
  store = await openStore(join(directory, 'store.db'));
  hostKeys = await openHostKeys(store, () => atMs++);
  [taken, refused] = [[], []];
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const publicHalf = (key: SigningKey): string => exportPublicKey(verifyKeyOf(key));

/** A report of a host, signed by `key`: whether the server believes it. */
const believes = async (hostId: string, key: SigningKey): Promise<boolean> => {
  const take = takeReport({
    coordinator: {
      submit: (event) => {
        taken.push(event);
        return Promise.resolve(null);
      },
    },
    keysOf: hostKeys.keysOf,
    order: createReportOrder(() => 0, 0),
    onRefused: (_, reason) => refused.push(reason),
  });
  const before = taken.length;
  const report = { kind: 'restart-progress', grantId: 'g', step: 'draining', at: 1 } as const;
  const unsigned = writeReport(
    { host: hostId, incarnation: 'life', seq: 1, acked: 0, echo: [1, 1, 1], report },
    { uuid: randomUUID(), issuedAt: 1 },
  );
  await take({ data: signEnvelope(unsigned, key) }).catch(() => undefined);
  return taken.length > before;
};

test('a rotation as the commands make it: at every step the agent is believed, afterwards by its last two keys', async () => {
  const path = join(directory, 'agent', 'keys.json');
  const { active: first } = await loadOrMakeKeys(path, 'm');
  await hostKeys.enrol('h1', 'm', publicHalf(first));
  expect(await believes('h1', first)).toBe(true);

  const { active, other: second } = await addKey(path);
  if (second === null) throw new Error('no second key was made');
  expect(await believes('h1', active)).toBe(true);
  expect(await believes('h1', second)).toBe(false);
  await hostKeys.addKey('h1', publicHalf(second));
  expect(await believes('h1', active)).toBe(true);
  expect((await switchKey(path)).active.id).toBe(second.id);
  expect(await believes('h1', second)).toBe(true);

  const { other: third } = await addKey(path);
  if (third === null) throw new Error('no third key was made');
  await hostKeys.addKey('h1', publicHalf(third));
  expect(await believes('h1', third)).toBe(true);
  expect(await believes('h1', second)).toBe(true);
  expect(await believes('h1', first)).toBe(false);
});

test('enrolling anew leaves the new key alone, and a revoked host is believed by none; another process reads the same', async () => {
  const [first, second] = [newSigningKey(), newSigningKey()];
  await hostKeys.enrol('h1', 'm', publicHalf(first));
  await hostKeys.enrol('h1', 'm', publicHalf(second));
  expect(await believes('h1', first)).toBe(false);
  expect(await believes('h1', second)).toBe(true);
  expect(await hostKeys.revoke('h1')).toBe(true);
  expect(await believes('h1', second)).toBe(false);
  await expect(hostKeys.addKey('h1', publicHalf(first))).rejects.toThrow('is not enrolled');
  hostKeys = await openHostKeys(store, () => atMs++);
  expect(hostKeys.isEnrolled('h1')).toBe(false);
  await hostKeys.enrol('h1', 'm', publicHalf(first));
  expect(await believes('h1', first)).toBe(true);
});

test('keys that cannot be read anew are those of before', async () => {
  const key = newSigningKey();
  await hostKeys.enrol('h1', 'm', publicHalf(key));
  await hostKeys.enrol('a1', 'm', publicHalf(newSigningKey()));
  await store.db
    .updateTable('host_keys')
    .set({ public_key: 'damaged' })
    .where('host_id', '=', 'a1')
    .execute();
  await expect(hostKeys.addKey('h1', publicHalf(newSigningKey()))).rejects.toThrow();
  expect(await believes('h1', key)).toBe(true);
});

test("no host is believed by another host's key", async () => {
  const [one, two] = [newSigningKey(), newSigningKey()];
  await hostKeys.enrol('h1', 'm1', publicHalf(one));
  await hostKeys.enrol('h2', 'm2', publicHalf(two));
  expect(await believes('h1', two)).toBe(false);
  expect(refused.join()).toContain('h1 has no valid key');
  expect(await believes('h2', two)).toBe(true);
});
