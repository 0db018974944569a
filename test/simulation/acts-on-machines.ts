import { reached } from '../../src/core/messages.ts';
import { Violation } from '../model/world.ts';
import type { Doing } from './doing.ts';
import { begin, crash, kill, loseJournal } from './agent.ts';
import { comesUp, goesDown } from './look.ts';
import { lead, leaderNow, retire, serverNow } from './server.ts';
import type { Act } from './schedule.ts';
import { count, inServer, note } from './world.ts';
import type { Machine, Server, World } from './world.ts';

/** What was written and not synced is gone with the power. */
const loseUnsynced = (world: World, machine: Machine): void => {
  const { synced, agent } = machine;
  if (synced === null) return;
  for (const [id, { step, order }] of agent.journal.grants) {
    const kept = synced.journal.grants.get(id);
    // The disk must tell why it is down (I4, R24).
    if (reached(step, 'stopping') && (kept === undefined || !reached(kept.step, 'stopping')))
      throw new Violation(
        'I4',
        `the stop of ${order.container} began before its intent was on disk`,
      );
  }
  agent.journal = synced.journal;
  machine.durableRecord = synced.record;
  machine.synced = null;
  count(world, 'unsynced turns lost');
};

/** No power: all that runs there is gone, and what is on disk stays. */
export const powerOff = (world: World, machine: Machine): void => {
  machine.on = false;
  machine.powerFails = null;
  loseUnsynced(world, machine);
  kill(world, machine);
  for (const box of machine.boxes) {
    box.stopping = false;
    goesDown(world, box, 'host');
  }
};

/** Power again: most containers are started at boot, and the agent. */
export const powerOn = (world: World, machine: Machine): void => {
  if (machine.on) return;
  machine.on = true;
  machine.boot += 1;
  note(world, () => `${machine.id} boots`);
  for (const box of machine.boxes)
    if (box.autostart && (box.downBy === 'host' || box.downBy === 'us')) comesUp(world, box);
  begin(world, machine);
};

/** Most processes are started again at once, some only after a while. */
const agentDownMs = ({ n, seconds }: Act): number => seconds * (n % 3 === 0 ? 300 : 20);

const agentDies =
  (before: boolean): Doing =>
  (_, { act, machine }) => {
    if (!machine.alive) return null;
    machine.dies = { turns: act.n + 1, before, downMs: agentDownMs(act) };
    return `${machine.id}, in the ${act.n + 1}th turn from now`;
  };

const serverDies =
  (before: boolean): Doing =>
  (world, { act }) => {
    const server = leaderNow(world);
    if (server === null) return null;
    server.dies = { steps: act.n + 1, before, downMs: downMs(world, act.seconds) };
    return `in the ${act.n + 1}th event from now`;
  };

/** The same server is started anew, or another one waits until its lease has run out. */
const downMs = ({ schedule }: World, seconds: number): number =>
  schedule.plan.standby ? 10_500 : seconds * 700;

/** For how long whoever leads stands still, perhaps with its machine's clock; another one may take over. */
const paused =
  (withClock: boolean): Doing =>
  (world, { act }) => {
    const server = leaderNow(world);
    if (server === null) return null;
    const ms = act.seconds * 1_000;
    serverNow(world, server);
    server.frozenUntil = world.time.now() + ms;
    if (world.schedule.plan.standby) lead(world, world.store.leaseUntil - world.time.now() + 700);
    world.time.after(ms, () => {
      if (withClock) server.standstillMs += ms;
      endFormer(world, server);
    });
    return `for ${act.seconds} s`;
  };

/** What it was about to write is written; then it finds that another one leads. */
const endFormer = (world: World, server: Server): void => {
  inServer(world, server, 400, () => {
    if (server.epoch !== world.store.epoch) retire(world, server);
  });
};

export const machineActs = {
  'agent crash': (world, { act, machine }) => {
    if (!machine.alive) return null;
    crash(world, machine, agentDownMs(act));
    return machine.id;
  },
  'agent crash before journal': agentDies(true),
  'agent crash after journal': agentDies(false),
  'agent paused': (world, { act, machine }) => {
    if (!machine.alive) return null;
    machine.frozenUntil = world.time.now() + act.seconds * 1_000;
    return `${machine.id} for ${act.seconds} s`;
  },
  'journal lost': (world, { act, machine }) => {
    if (!machine.on || !machine.agent.journal.settled) return null;
    loseJournal(world, machine, agentDownMs(act));
    return machine.id;
  },
  'host dies': (world, { act, machine }) => {
    if (!machine.on) return null;
    const dies = (): void => {
      powerOff(world, machine);
      world.time.after(act.seconds * 1_000, () => {
        if (!machine.fenced) powerOn(world, machine);
      });
    };
    const said = `${machine.id} for ${act.seconds} s`;
    if (act.n % 2 === 0) dies();
    // At the worst moment: what was written last is begun, and not on disk.
    else machine.powerFails = dies;
    return act.n % 2 === 0 ? said : `${said}, at its next turn that is not synced`;
  },
  'clock jumps': (_, { act, machine }) => {
    machine.wallOffsetMs += (act.n - 20) * 180_000;
    return `${machine.id} by ${(act.n - 20) * 3} minutes`;
  },
  'server clock jumps': (world, { act }) => {
    world.serverWallOffsetMs += (act.n - 20) * 180_000;
    return `by ${(act.n - 20) * 3} minutes`;
  },
  'server crash': (world, { act }) => {
    const server = leaderNow(world);
    if (server === null) return null;
    retire(world, server);
    lead(world, downMs(world, act.seconds));
    return '';
  },
  'server crash before commit': serverDies(true),
  'server crash after commit': serverDies(false),
  'leader paused': paused(false),
  'leader paused with its clock': paused(true),
} satisfies Record<string, Doing>;
