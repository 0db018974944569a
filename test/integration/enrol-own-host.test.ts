import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFleetSettings, emptyFleet, newHost } from '../../src/core/coordinator/fleet.ts';
import type { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import { readTrustedKeys } from '../../src/jobs/key-files.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { enrolOwnHost } from '../../src/main/enrol-own-host.ts';
import type { OwnServer } from '../../src/main/enrol-own-host.ts';
import { trustedKeysPath } from '../../src/main/key-card.ts';
import { agentKeys } from '../../src/main/own-keys.ts';
import { readConfig } from '../../src/main/read-config.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openHostKeys } from '../../src/workers/control/host-keys.ts';

let directory: string;
let file: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-own-host-'));
  file = join(directory, 'config.yaml');
  await writeFile(
    file,
    `dataDirectory: ${directory}/data\nagent: { hostId: h7, zone: rack-3, hostCap: 5 }\n`,
  );
  store = await openStore(join(directory, 'store.db'));
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

test('the own host is enrolled once, and again only when its agent signs with a key that is not known', async () => {
  const hostKeys = await openHostKeys(store, () => 1);
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  const acted: OperatorAction[] = [];
  const changes: string[] = [];
  const server: OwnServer = {
    hostKeys,
    changedKeys: (_actor, hostId, what) => {
      changes.push(`${what} of ${hostId}`);
      return Promise.resolve({ ok: true, id: null, text: '' });
    },
    coordinator: {
      fleet: () => fleet,
      act: (_actor, action) => {
        acted.push(action);
        fleet.hosts.set('h7', newHost('h7', 'rack-3', 5));
        return Promise.resolve({ ok: true, id: null, text: '' });
      },
    },
  };
  const config = await readConfig(file);
  const serverKey = exportPublicKey(verifyKeyOf(newSigningKey()));
  const enrol = (): Promise<void> => enrolOwnHost(server, [serverKey], config);

  await enrol();
  await enrol();
  expect(await readTrustedKeys(trustedKeysPath(config.dataDirectory))).toEqual([serverKey]);
  expect(acted).toEqual([{ action: 'host-add', hostId: 'h7', zone: 'rack-3', cap: 5 }]);
  const [first] = hostKeys.keysOf('h7');
  expect(changes).toEqual([`enrolled key ${first?.id ?? ''} of h7`]);

  await agentKeys(file, { newKey: true });
  await enrol();
  expect(changes).toHaveLength(1);
  await agentKeys(file, { switchKey: true });
  await enrol();
  expect(changes).toHaveLength(2);
  expect(hostKeys.keysOf('h7').map(({ id }) => id)).not.toContain(first?.id);
  expect(acted).toHaveLength(1);

  // Another machine that bears this name keeps it.
  const other = exportPublicKey(verifyKeyOf(newSigningKey()));
  await hostKeys.enrol('h7', 'another machine', other);
  await expect(enrol()).rejects.toThrow('host h7 is enrolled here as another machine');
  expect(hostKeys.machineOf('h7')).toBe('another machine');
});
