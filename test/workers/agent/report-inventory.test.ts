import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { HostInventory } from '../../../src/core/messages.ts';
import type { PackageInventory } from '../../../src/workers/agent/agent-host.ts';
import { startInventory } from '../../../src/workers/agent/report-inventory.ts';
import type { InventoryReporter } from '../../../src/workers/agent/report-inventory.ts';
import { waitUntil } from '../../bed/wait-until.ts';

const libssl = { name: 'openssl-libs', arch: 'x86_64' };
const inventory = { platform: 'almalinux-9', packages: [{ ...libssl, version: '1-1' }] };
const offers = [{ ...libssl, version: '1-2' }];
const isClosed = 'check-update: Failed to download metadata';

let problem: string | null;
let fetchProblem: string | null;
let mark: string;
let reads: number;
let told: Omit<HostInventory, 'kind' | 'transaction'>[];
let alerts: string[];
let reporter: InventoryReporter;

/** What dnf says of a mirror that is away is not the same to the letter each time. */
const answer = (): PackageInventory => ({
  ...{ inventory, offers: problem === null ? offers : [], securitySuites: [] },
  problem: problem === null ? null : `${problem}: timed out after ${30_000 + reads} ms`,
});

beforeEach(() => {
  [problem, fetchProblem, mark, reads, told, alerts] = [null, null, 'a', 0, [], []];
});
afterEach(() => reporter.stop());

const start = (): void => {
  const packages = {
    inventoryMark: () => Promise.resolve(mark),
    inventory: () => {
      reads += 1;
      return Promise.resolve(answer());
    },
    refresh: () => Promise.resolve(fetchProblem),
  };
  reporter = startInventory(
    {
      host: { packages } as unknown as Parameters<typeof startInventory>[0]['host'],
      clock: { monoMs: () => 0, wallMs: () => 7, newId: () => 'id' },
      alert: (text) => alerts.push(text),
    },
    {
      packagesChange: () => false,
      dispatch: (event) => {
        if (event.kind === 'inventory') told.push(event.read);
        return true;
      },
      times: { lookEveryMs: 1, refreshEveryMs: null },
    },
  );
};

const until = (what: string, is: () => boolean): Promise<true> =>
  waitUntil(what, is, { deadlineMs: 10_000 });

test('where the repositories cannot be read, the packages are told with why, and looked at anew until they can be', async () => {
  problem = isClosed;
  start();
  await until('it is told', () => told.length > 0);
  expect(told).toEqual([
    {
      ...{ inventory, offers: [], securitySuites: [] },
      ...{ refreshedAt: null, refreshProblem: `${isClosed}: timed out after 30001 ms` },
    },
  ]);
  expect(alerts).toEqual([expect.stringContaining(isClosed)]);
  const before = reads;
  await until('it is read anew', () => reads > before + 2);
  // The same is told once.
  expect(told).toHaveLength(1);
  problem = null;
  await until('they can be read', () => told.length > 1);
  expect(told[1]).toMatchObject({ offers, refreshProblem: null });
  // What is known is read again only where something has changed.
  const known = reads;
  reporter.take({ refresh: false });
  await until('it is told when asked', () => told.length > 2);
  expect(reads).toBe(known + 1);
});

test('that the indexes cannot be fetched goes before what comes of it', async () => {
  [problem, fetchProblem] = [isClosed, 'Curl error (6)'];
  start();
  reporter.take({ refresh: true });
  await until('both are told', () => told.at(-1)?.refreshProblem === 'Curl error (6)');
});
