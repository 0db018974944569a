import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrMakeKeys, readTrustedKeys } from '../../src/jobs/key-files.ts';
import { importPublicKey } from '../../src/jobs/signing-key.ts';
import { agentKeysPath, serverKeysPath, trustedKeysPath } from '../../src/main/key-card.ts';
import type { KeyCard } from '../../src/main/key-card.ts';
import { readMachineId } from '../../src/main/machine-id.ts';
import { agentKeys, serverKeys, trustServer } from '../../src/main/own-keys.ts';

let data: string;
let config: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gs-own-keys-'));
  config = join(data, 'config.yaml');
  await writeFile(config, `dataDirectory: ${data}/here\nagent: { hostId: h7 }\n`);
});
afterEach(() => rm(data, { recursive: true }));

const card = async (asked: Parameters<typeof agentKeys>[1]): Promise<KeyCard> =>
  JSON.parse(await agentKeys(config, asked)) as KeyCard;
const signingId = async (): Promise<string> =>
  (await loadOrMakeKeys(agentKeysPath(join(data, 'here')), await readMachineId())).active.id;

test('an agent shows one card until its key is switched, and then the card of the new key', async () => {
  const first = await card({ showKey: true });
  expect(first).toEqual({
    hostId: 'h7',
    machineId: await readMachineId(),
    publicKey: first.publicKey,
    redisPasswordSha256: null,
  });
  expect(await card({ showKey: true })).toEqual(first);
  const second = await card({ newKey: true });
  expect(second.publicKey).not.toBe(first.publicKey);
  expect(await card({ showKey: true })).toEqual(first);
  expect(await signingId()).toBe(importPublicKey(first.publicKey).id);

  const said = await agentKeys(config, { switchKey: true });
  expect(said).toContain(importPublicKey(second.publicKey).id);
  expect(said).toContain('restart it');
  expect(await card({ showKey: true })).toEqual(second);
  expect(await signingId()).toBe(importPublicKey(second.publicKey).id);
});

test.each([
  ['its own user, and a long password', 'redis://h7:0123456789abcdef%21%21%21%21@r', 20],
  ['a short password, which its hash would give away', 'redis://h7:0123456789abcdef@r', null],
  ['a user of another name', 'redis://h8:0123456789abcdef0123@r', null],
  ['no user', 'redis://:0123456789abcdef0123@r', null],
])('its card tells the hash of its password for Redis: %s', async (_, url, told) => {
  await writeFile(
    config,
    `dataDirectory: ${data}/here\nagent: { hostId: h7 }\nredis: { url: "${url}" }\n`,
  );
  const hash = createHash('sha256').update('0123456789abcdef!!!!').digest('hex');
  expect((await card({ showKey: true })).redisPasswordSha256).toBe(told === null ? null : hash);
});

test('without a second key there is nothing to switch to, and two steps at once are none', async () => {
  await card({ showKey: true });
  await expect(agentKeys(config, { switchKey: true })).rejects.toThrow('one key only');
  await expect(agentKeys(config, { newKey: true, switchKey: true })).rejects.toThrow(
    'one at a time',
  );
  const { other } = await loadOrMakeKeys(agentKeysPath(join(data, 'here')), await readMachineId());
  expect(other).toBeNull();
});

test("a server's keys are printed as agents take them: one, two while rotating, the signing one first", async () => {
  const lines = async (asked: Parameters<typeof serverKeys>[1]): Promise<string[]> =>
    (await serverKeys(config, asked)).trim().split('\n');
  const [first = ''] = await lines({ showKey: true });
  const both = await lines({ newKey: true });
  expect(both).toEqual([first, both[1]]);
  await trustServer(config, both);
  expect(await readTrustedKeys(trustedKeysPath(join(data, 'here')))).toEqual(both);
  await serverKeys(config, { switchKey: true });
  expect(await lines({ showKey: true })).toEqual([both[1], first]);
  expect((await loadOrMakeKeys(serverKeysPath(join(data, 'here')), null)).active.id).toBe(
    importPublicKey(both[1] ?? '').id,
  );
});

test('what is no public key is not trusted, and what was trusted stays', async () => {
  const [key = ''] = (await serverKeys(config, { showKey: true })).trim().split('\n');
  await trustServer(config, [key]);
  await expect(trustServer(config, ['bm9uc2Vuc2U='])).rejects.toThrow(
    'groundswell server --show-key',
  );
  await expect(trustServer(config, [key, key, key])).rejects.toThrow('not 3');
  expect(await readTrustedKeys(trustedKeysPath(join(data, 'here')))).toEqual([key]);
});
