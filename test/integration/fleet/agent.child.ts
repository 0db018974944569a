// The agent of an enrolled host with scripted containers, as a process that can be stopped. argv[2] (JSON): its options, with
// the server's public keys, and the step of a restart at which it says `held` and waits in its check for `go on`, once; null:
// none. Asked for `upgrade` it upgrades a library on its host, asked for `events` it tells what has happened there, asked for
// `use` what this process holds.
import process from 'node:process';
import { heapInUse } from '../../bed/heap-in-use.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import { startMachine, upgradeMachine } from './machines.ts';
import type { MachineOptions } from './machines.ts';

export interface AgentChildOptions extends Omit<MachineOptions, 'serverKeys'> {
  publicKeys: string[];
  holdAt: 'journaled' | 'drained' | null;
}

/** What an agent holds in its process. */
export interface AgentUse {
  /** Containers that it has stopped. */
  stops: number;
  megabytes: number;
  timers: number;
  /** Sockets, pipes and the like. */
  handles: number;
}

const { publicKeys, holdAt, ...options } = JSON.parse(process.argv[2] ?? '{}') as AgentChildOptions;
const machine = await startMachine({
  ...options,
  serverKeys: () => publicKeys.map(importPublicKey),
});
const { fake } = machine;
fake.drains = true;

let isHeld = false;
const hold = async (at: AgentChildOptions['holdAt']): Promise<void> => {
  if (isHeld || at !== holdAt) return;
  isHeld = true;
  await new Promise<void>((resolve) => {
    process.on('message', (said) => {
      if (said === 'go on') resolve();
    });
    process.send?.('held');
  });
};

const { drain, scan } = fake.host;
const [lookAsEver, askAsEver] = [drain.look, scan.stillStale];
// The checks before a drain and before a stop ask these, and nobody else; both while they read the record.
drain.look = async (...asked) => {
  await hold('journaled');
  return lookAsEver(...asked);
};
scan.stillStale = async (...asked) => {
  await hold('drained');
  return askAsEver(...asked);
};

const useNow = (): AgentUse => {
  const resources = process.getActiveResourcesInfo();
  return {
    stops: fake.events.filter((event) => event.startsWith('stop ')).length,
    megabytes: heapInUse() / 1_048_576,
    timers: resources.filter((name) => name === 'Timeout').length,
    handles: resources.filter((name) => name.endsWith('Wrap')).length,
  };
};

let version = 1;
process.on('message', (said) => {
  if (said === 'upgrade') void upgradeMachine(machine, (version += 1));
  if (said === 'events') process.send?.(fake.events);
  if (said === 'use') process.send?.(useNow());
});
process.send?.('up');
