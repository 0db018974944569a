import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { readdir, readFile } from 'node:fs/promises';
import process from 'node:process';
import { waitUntil } from '../bed/wait-until.ts';
import { startServerAndAgents } from './fleet/server-and-agents.ts';
import { wait } from './fleet/machines.ts';

/** `GROUNDSWELL_LONG=1` goes through a thousand waves. */
const isLong = process.env['GROUNDSWELL_LONG'] === '1';
const waves = isLong ? 1_000 : 24;
/** Until then caches and pools fill, and what is kept for a while has reached what it stays at. */
const warmUp = isLong ? 100 : 8;

/** Of ended jobs those of the fleet's queue keep 1,000, and each host's 200; beside some dozens of other keys. */
const KEPT_JOBS = 1_000 + 2 * 200 + 100;

let rig: Awaited<ReturnType<typeof startServerAndAgents>>;

beforeEach(async () => {
  rig = await startServerAndAgents();
});
afterEach(() => rig.dispose());

interface Use {
  /** Of the server: open files, and memory in MB. */
  files: number;
  megabytes: number;
  /** Of the agents' process: timers, sockets and the like that are open. */
  handles: number;
  keys: number;
}

const useNow = async (client: Redis): Promise<Use> => {
  const pid = rig.serverPid();
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    files: (await readdir(`/proc/${pid}/fd`)).length,
    megabytes: Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1_024),
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length,
    keys: await client.dbsize(),
  };
};

test(
  `over ${waves} waves nothing is left open, and memory stays`,
  async () => {
    await rig.enrol('h1', ['web-1', 'web-2']);
    await rig.enrol('h2', ['web-3']);
    await rig.untilKnown();
    const client = rig.redis.client();
    const uses: Use[] = [];
    for (let wave = 1; wave <= waves; wave++) {
      await rig.upgradeEverywhere(wave + 1);
      await waitUntil(`wave ${wave} is over`, () => rig.stops().length === wave * 3, wait);
      await waitUntil(
        'no grant is open',
        async () => (await rig.status()).grants.length === 0,
        wait,
      );
      uses.push(await useNow(client));
    }
    const [before, after] = [uses.slice(0, warmUp), uses.slice(warmUp)];
    const most = (all: readonly Use[], name: keyof Use): number =>
      Math.max(...all.map((use) => use[name]));
    process.stdout.write(
      `soak: ${waves} waves; after ${warmUp}: ${JSON.stringify(uses[warmUp - 1])}, at the end: ${JSON.stringify(uses.at(-1))}\n`,
    );
    for (const name of ['files', 'handles'] as const)
      expect({ name, most: most(after, name) }).toEqual({ name, most: most(before, name) });
    expect(most(after, 'keys')).toBeLessThan(KEPT_JOBS);
    expect(most(after, 'megabytes')).toBeLessThan(most(before, 'megabytes') + 40);
  },
  isLong ? 7_200_000 : 120_000,
);
