// The agent of an enrolled host with scripted containers, as a process that can be stopped. argv[2] (JSON): its options, with
// the server's public keys, and the step of a restart at which it says `held` and waits in its check for `go on`, once.
// Asked for `upgrade` it upgrades a library on its host, asked for `events` it tells what has happened there.
import process from 'node:process';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import { startMachine, upgradeMachine } from './machines.ts';
import type { MachineOptions } from './machines.ts';

export interface AgentChildOptions extends Omit<MachineOptions, 'serverKeys'> {
  publicKeys: string[];
  holdAt: 'journaled' | 'drained';
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

process.on('message', (said) => {
  if (said === 'upgrade') void upgradeMachine(machine, 2);
  if (said === 'events') process.send?.(fake.events);
});
process.send?.('up');
