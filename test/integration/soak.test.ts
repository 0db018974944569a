import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrMakeKeys } from '../../src/jobs/key-files.ts';
import { publicKeysOf } from '../../src/main/key-card.ts';
import { waitUntil } from '../bed/wait-until.ts';
import type { AgentChildOptions, AgentUse } from './fleet/agent.child.ts';
import { startServerAndAgents } from './fleet/server-and-agents.ts';
import { enrolHost, wait } from './fleet/machines.ts';

/** `GROUNDSWELL_LONG=1` goes through a thousand waves. */
const isLong = process.env['GROUNDSWELL_LONG'] === '1';
const waves = isLong ? 1_000 : 24;
/** Until then caches and pools fill, and what is kept for a while has reached what it stays at. */
const warmUp = isLong ? 100 : 8;

/** Of ended jobs those of the fleet's queue keep 1,000, and each host's 200; beside some dozens of other keys. */
const KEPT_JOBS = 1_000 + 3 * 200 + 100;

let rig: Awaited<ReturnType<typeof startServerAndAgents>>;
/** The agent of h3, as a process of its own. */
let agent: ChildProcess | null = null;

beforeEach(async () => {
  rig = await startServerAndAgents();
});
afterEach(async () => {
  if (agent !== null) {
    const gone = once(agent, 'exit');
    agent.kill('SIGKILL');
    await gone;
    agent = null;
  }
  await rig.dispose();
});

const startAgent = async (hostId: string): Promise<ChildProcess> => {
  const { socket, data, directory, redis } = rig;
  await enrolHost(socket, { hostId, directory });
  const options: AgentChildOptions = {
    ...{ hostId, containers: ['web-4'], redis: redis.address, directory, holdAt: null },
    publicKeys: publicKeysOf(await loadOrMakeKeys(join(data, 'server/keys.json'), null)),
  };
  const child = fork(join(import.meta.dirname, 'fleet/agent.child.ts'), [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
  });
  agent = child;
  expect(await once(child, 'message')).toEqual(['up', undefined]);
  return child;
};

/** What a process has open, and its memory in MB. */
const ofProcess = async (pid: number): Promise<{ files: number; megabytes: number }> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    files: (await readdir(`/proc/${pid}/fd`)).length,
    megabytes: Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1_024),
  };
};

const agentUse = async (child: ChildProcess): Promise<AgentUse> => {
  const answer = once(child, 'message');
  child.send('use');
  const [use] = (await answer) as [AgentUse];
  return use;
};

interface Use {
  serverFiles: number;
  serverMegabytes: number;
  agentFiles: number;
  /** Of what is still referred to. */
  agentMegabytes: number;
  agentTimers: number;
  agentHandles: number;
  keys: number;
}

test(
  `over ${waves} waves nothing is left open, by the server or by an agent, and memory stays`,
  async () => {
    await rig.enrol('h1', ['web-1', 'web-2']);
    await rig.enrol('h2', ['web-3']);
    const child = await startAgent('h3');
    await rig.untilKnown();
    const client = rig.redis.client();
    const uses: Use[] = [];
    for (let wave = 1; wave <= waves; wave++) {
      await rig.upgradeEverywhere(wave + 1);
      child.send('upgrade');
      const others = (): number => rig.stops().length;
      await waitUntil(
        `wave ${wave} is over`,
        async () => others() === wave * 3 && (await agentUse(child)).stops === wave,
        wait,
      );
      await waitUntil(
        'no grant is open',
        async () => (await rig.status()).grants.length === 0,
        wait,
      );
      const server = await ofProcess(rig.serverPid());
      const { megabytes, timers, handles } = await agentUse(child);
      uses.push({
        ...{ serverFiles: server.files, serverMegabytes: server.megabytes },
        agentFiles: (await ofProcess(child.pid ?? 0)).files,
        ...{ agentMegabytes: Math.round(megabytes), agentTimers: timers, agentHandles: handles },
        keys: await client.dbsize(),
      });
    }
    const [before, after] = [uses.slice(0, warmUp), uses.slice(warmUp)];
    const most = (all: readonly Use[], name: keyof Use): number =>
      Math.max(...all.map((use) => use[name]));
    process.stdout.write(
      `soak: ${waves} waves; after ${warmUp}: ${JSON.stringify(uses[warmUp - 1])}, at the end: ${JSON.stringify(uses.at(-1))}\n`,
    );
    /** What each may have more than it ever had while it warmed up. */
    const mayGrow: [keyof Use, number][] = [
      ['serverFiles', 0],
      ['agentFiles', 0],
      ['agentHandles', 0],
      // Something that is asked again later may be waited for in one moment, and not in another.
      ['agentTimers', 5],
      ['serverMegabytes', 40],
      ['agentMegabytes', 10],
    ];
    const grown = mayGrow.filter(([name, more]) => most(after, name) > most(before, name) + more);
    expect(grown.map(([name]) => ({ name, uses: uses.map((use) => use[name]) }))).toEqual([]);
    expect(most(after, 'keys')).toBeLessThan(KEPT_JOBS);
  },
  isLong ? 7_200_000 : 240_000,
);
