import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerTable, readContainerRows } from '../../../src/cli/local/container-list.ts';
import { Configuration } from '../../../src/config/schema.ts';
import { createLxcRuntime } from '../../../src/host/lxc/lxc-runtime.ts';
import { settingsPortFrom } from '../../../src/main/from-config.ts';

let lxcPath: string;
beforeEach(async () => {
  lxcPath = await mkdtemp(join(tmpdir(), 'gs-list-'));
});
afterEach(() => rm(lxcPath, { recursive: true }));

const container = async (name: string, group: string): Promise<void> => {
  await mkdir(join(lxcPath, name, 'delta0'), { recursive: true });
  await writeFile(
    join(lxcPath, name, 'config'),
    `lxc.rootfs.path = overlay:/:${join(lxcPath, name, 'delta0')}\nlxc.group = ${group}\n`,
  );
};

const rowsOf = async (optOut: unknown[]): Promise<[string, string | undefined][]> => {
  const { optOut: optOutOf } = settingsPortFrom(
    Configuration.parse({
      ...{ agent: { hostId: 'h1' }, optOut },
      services: [{ name: 'web', match: [{ group: 'web' }] }],
    }),
  );
  const rows = await readContainerRows(
    { runtime: createLxcRuntime({ lxcPath }), lxcPath, own: [] },
    { list: () => Promise.resolve({ notes: [], problems: [] }) },
    (one) => optOutOf(one, Date.parse('2027-01-01')),
  );
  const table = containerTable(rows, lxcPath).split('\n');
  return rows.map(({ name, optOut: found }) => [
    table.find((line) => line.startsWith(name))?.includes(`opted out`) === true ? name : '',
    found?.reason,
  ]);
};

test('an opt-out by host, container or service stands beside its container', async () => {
  await container('db-01', 'db');
  await container('web-01', 'web');
  expect(await rowsOf([{ host: 'h1', reason: 'a fair' }])).toEqual([
    ['db-01', 'a fair'],
    ['web-01', 'a fair'],
  ]);
  expect(await rowsOf([{ host: 'h2', reason: 'a fair' }])).toEqual([
    ['', undefined],
    ['', undefined],
  ]);
  expect(await rowsOf([{ service: 'web', until: '2027-02-01', reason: 'sale' }])).toEqual([
    ['', undefined],
    ['web-01', 'sale'],
  ]);
  expect(await rowsOf([{ container: 'db-*', until: '2026-02-01', reason: 'over' }])).toEqual([
    ['', undefined],
    ['', undefined],
  ]);
});
