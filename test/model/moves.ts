import type { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import { compareRecordNumbers } from '../../src/core/messages.ts';
import type { PauseLevel } from '../../src/core/messages.ts';
import {
  beginTransaction,
  boot,
  crash,
  endTransaction,
  feed,
  loseJournal,
  observe,
} from './agent-side.ts';
import type { Core } from './core.ts';
import { canEnd, carryOut, isUnnoticed } from './effects.ts';
import type { Turnout } from './effects.ts';
import { readWhatIsNoNews } from './no-news.ts';
import { changeLeader, serve, putIn } from './server-side.ts';
import type { ServerTurnout } from './server-side.ts';
import { boxIndex, boxName, clone, tickMs } from './world.ts';
import type { Box, Fault, Machine, World } from './world.ts';
import { rowsOf } from './written.ts';

/** Something that may happen next. `fault` null: it happens by itself in the end, when nothing goes wrong. */
export interface Move {
  label: string;
  fault: Fault | null;
  /** It touches neither the coordinator nor what anybody knows of control records, so the fleet may be shared. */
  local: boolean;
  apply: (world: World) => void;
}

type Add = (
  label: string,
  fault: Fault | null,
  apply: (world: World, machine: Machine) => void,
  local?: 'local',
) => void;

const effectMoves = (core: Core, machine: Machine, add: Add): void => {
  for (const todo of machine.todo) {
    if (!canEnd(machine, todo)) continue;
    const [kind = ''] = todo.split(' ');
    const turn = (label: string, fault: Fault | null, turnout: Turnout): void => {
      if (turnout !== 'unseen')
        add(
          `${todo}${label}`,
          fault,
          (world, own) => {
            carryOut(core, world, own, todo, turnout);
          },
          'local',
        );
      else
        add(`${todo}${label}`, fault, (world, own) => {
          carryOut(core, world, own, todo, turnout);
          crash(core, own);
        });
    };
    turn('', null, 'well');
    if (kind === 'await-upgrade' && machine.dpkg === 'ours') {
      turn(', and the host is broken', 'host breaks', 'broken');
      turn(' and fails', 'upgrade fails', 'badly');
    }
    if (kind === 'drain') turn(' fails', 'drain fails', 'badly');
    if (kind === 'start') {
      turn(' fails', 'start fails', 'badly');
      turn(', which stays unhealthy', 'sick', 'sick');
    }
    if (['drain', 'start', 'undrain', 'await-stray-stop', 'end-stray-stops'].includes(kind))
      turn(', and the agent dies before it can journal that', 'agent crash', 'unseen');
  }
};

/** Whether Redis holds a job that an agent would take. */
const isPut = (core: Core, { wire, fleet }: World, jobId: string): boolean => {
  const put = wire.get(jobId);
  if (put === undefined) return false;
  const host = fleet.hosts.get(put.host) ?? { generation: 0 };
  return put.leader[0] === core.generationOf(fleet, host) && put.leader[1] === fleet.epoch;
};

/** Nobody need bring what is journaled, unless the store has forgotten that it was answered for (R16). */
const mayBeUnheard = ({ restored }: World, { agent }: Machine, jobId: string): boolean =>
  restored || !agent.journal.jobs.has(jobId);

const agentMoves = (core: Core, world: World, machine: Machine, add: Add): void => {
  const { rows, wire } = world;
  const { agent, register, late } = machine;
  if (!machine.alive) {
    add('the agent starts', null, (world, own) => {
      boot(core, world, own);
    });
  } else {
    effectMoves(core, machine, add);
    add('the agent dies', 'agent crash', (_, own) => {
      crash(core, own);
    });
    const held = agent.record?.value.number;
    if (
      register !== null &&
      (held === undefined || compareRecordNumbers(register.number, held) !== 0) &&
      // One that it ignores changes nothing, again and again: a random walk would not get on.
      (world.lastId === null ||
        held === undefined ||
        compareRecordNumbers(register.number, held) > 0)
    )
      add('the agent reads the control record', null, (world, own) => {
        own.heard = Math.min(2, own.heard + 1);
        if (own.register !== null)
          feed(core, world, own, {
            kind: 'record',
            record: clone(own.register),
            newIncarnation: `${own.agent.journal.incarnation}+`,
          });
      });
    for (const send of wire.values()) {
      if (send.host !== machine.id) continue;
      const deliver = (world: World, own: Machine): void => {
        feed(core, world, own, {
          kind: 'job',
          jobId: send.jobId,
          hash: send.jobId,
          incarnation: send.incarnation,
          leader: send.leader,
          expiresAt: send.expiresAt,
          job:
            send.kind === 'observe-host'
              ? { kind: 'observe-host', refresh: false }
              : send.kind === 'restart-batch'
                ? { kind: send.kind, payload: clone(send.payload) }
                : { kind: send.kind, payload: clone(send.payload) },
        });
      };
      const arrives = (world: World, own: Machine): void => {
        world.wire.delete(send.jobId);
        deliver(world, own);
      };
      add(`job ${send.jobId} arrives`, null, arrives, 'local');
      add(`job ${send.jobId} arrives, and a copy of it stays`, 'job doubled', deliver, 'local');
    }
    for (const [jobId, send] of rows)
      if (
        send.host === machine.id &&
        !isPut(core, world, jobId) &&
        mayBeUnheard(world, machine, jobId)
      )
        add(`the relay puts job ${jobId} in again`, null, (world) => {
          putIn(core, world, send);
        });
    const ownStop = (index: number): boolean => machine.stops.includes(index);
    machine.boxes.forEach((box, index) => {
      if (!box.up || ownStop(index)) return;
      add(`${boxName(index)} falls sick`, 'falls sick', (world, own) => {
        Object.assign(own.boxes[index] as Box, { sick: true });
        observe(core, world, own);
      });
      add(`the owner restarts ${boxName(index)}`, 'owner restarts', (world, own) => {
        const again = own.boxes[index] as Box;
        Object.assign(again, { version: own.lower, instance: again.instance + 1 });
        observe(core, world, own);
      });
      add(`the owner stops ${boxName(index)}`, 'owner stops', (world, own) => {
        ownerStops(core, world, own, index);
      });
      add(`the monitor of ${boxName(index)} is killed`, 'monitor killed', (world, own) => {
        dies(core, world, own, index);
      });
    });
    add('the journal is lost', 'journal lost', (_, own) => {
      loseJournal(core, own);
    });
  }
  for (const jobId of wire.keys())
    if (jobId.startsWith(`${machine.id}_`))
      add(`Redis loses job ${jobId}`, 'job lost', (world) => {
        world.wire.delete(jobId);
      });
  if (register !== null)
    add('Redis loses the control record', 'record lost', (_, own) => {
      own.register = null;
    });
  else
    add('the server writes the lost control record again', null, (world, own) => {
      serve(core, world, { kind: 'record-wanted', host: own.id });
    });
  if (late !== null)
    add('the former leader writes its record', 'delay', (_, own) => {
      own.register = own.late;
      own.late = null;
    });
  for (const index of machine.stops)
    add(
      `lxc-stop of ${boxName(index)} ends`,
      null,
      (_, own) => {
        own.stops = own.stops.filter((other) => other !== index);
        const box = own.boxes[index];
        if (box !== undefined && box.up) Object.assign(box, { up: false, downBy: 'us' });
      },
      'local',
    );
  if (machine.dpkg === 'rest')
    add('somebody begins a package transaction', 'outside upgrade', (_, own) => {
      beginTransaction(own);
    });
  if (machine.dpkg === 'outside')
    add('the package transaction is over', null, (_, own) => {
      endTransaction(own);
    });
  if (machine.dpkg === 'outside')
    add('the package transaction is over, and the host is broken', 'host breaks', (_, own) => {
      endTransaction(own);
      own.broken = true;
    });
};

/** From the durable intent on, and until it was healthy again, what goes down is ours to bring back (R24, R25). */
const isOurs = ({ agent }: Machine, index: number): boolean =>
  [...agent.journal.grants.values()].some(
    ({ end, order, step, tookOver }) =>
      end === null &&
      order.container === boxName(index) &&
      (['stopping', 'stopped', 'started'].includes(step) || tookOver !== null),
  );

const dies = (core: Core, world: World, machine: Machine, index: number): void => {
  const box = machine.boxes[index];
  if (box === undefined) return;
  const id = `${machine.id}/${boxName(index)}`;
  // What runs the new code may have been told as restarted by now, and its wave be over before its death is heard of.
  const owed =
    box.version !== machine.lower &&
    [...world.fleet.waves.values()].some(
      ({ state, members }) =>
        state === 'open' && ['pending', 'restarting'].includes(members.get(id)?.state ?? ''),
    );
  const ours = isOurs(machine, index);
  Object.assign(box, { up: false, sick: false, downBy: ours ? 'us' : 'death', owed });
  observe(core, world, machine);
};

const ownerStops = (core: Core, world: World, machine: Machine, index: number): void => {
  const box = machine.boxes[index];
  if (box === undefined) return;
  const ours = isOurs(machine, index);
  Object.assign(box, { up: false, downBy: ours ? 'us' : 'owner', sick: false });
  observe(core, world, machine);
};

const reportMoves = (core: Core, { fleet }: World, machine: Machine, add: Add): void => {
  const host = fleet.hosts.get(machine.id);
  if (host === undefined) return;
  const { journal, record } = machine.agent;
  const acked = core.ackedOf(journal);
  const applied = host.incarnation === journal.incarnation ? host.ackedSeq : 0;
  // What was acknowledged is gone, also where a restored store has forgotten that (R16).
  const next = Math.max(acked, applied) + 1;
  const report = machine.alive ? journal.reports.get(next) : undefined;
  const messages = [...machine.wandering];
  if (report !== undefined)
    messages.push({
      host: machine.id,
      incarnation: journal.incarnation,
      seq: next,
      acked,
      echo: record?.value.number ?? [0, 0, 0],
      report,
    });
  const early = machine.alive ? journal.reports.get(next + 1) : undefined;
  if (early !== undefined)
    add(`report ${next + 1} overtakes the one before`, 'report overtakes', (world, own) => {
      const message = {
        host: own.id,
        incarnation: journal.incarnation,
        seq: next + 1,
        acked,
        echo: record?.value.number ?? ([0, 0, 0] as [number, number, number]),
        report: early,
      };
      serve(core, world, { kind: 'report', message });
    });
  // Sent again until the record acknowledges it (R8): a copy of what was applied long ago comes late (R9).
  for (const [seq, old] of machine.alive ? journal.reports : [])
    if (seq < next)
      add(`report ${seq} comes once more`, 'report doubled', (world, own) => {
        const { incarnation } = own.agent.journal;
        const echo = own.agent.record?.value.number ?? ([0, 0, 0] as [number, number, number]);
        const message = { host: own.id, incarnation, seq, acked, echo, report: clone(old) };
        serve(core, world, { kind: 'report', message });
      });
  for (const message of messages) {
    const due = message.incarnation === host.incarnation ? host.ackedSeq + 1 : 1;
    if (message.seq !== Math.max(due, message.acked + 1)) continue;
    const inner = message.report;
    const what = `${inner.kind}${'grantId' in inner ? ` ${inner.grantId}` : ''}${'step' in inner ? ` ${inner.step}` : ''}${'outcome' in inner ? ` ${inner.outcome}` : ''}`;
    const turn = (label: string, fault: Fault | null, turnout: ServerTurnout): void => {
      add(`report ${message.seq} (${what}) is applied${label}`, fault, (world) => {
        serve(core, world, { kind: 'report', message: clone(message) }, turnout);
      });
    };
    turn('', null, 'well');
    turn('; the server dies after the commit', 'server crash', 'crash');
    turn(
      '; the leader stands still after the commit, another takes over',
      'leader paused',
      'pause',
    );
  }
};

/** A person took it upon himself that this container stays down. */
const leaveDown = ({ machines }: World, container: string): void => {
  const [id, name = ''] = container.split('/');
  const box = machines.find((machine) => machine.id === id)?.boxes[boxIndex(name)];
  if (box !== undefined && !box.up) Object.assign(box, { away: false, alerted: true });
};

const pausesOf = ({ fleet, machines, keepsPauses }: World): [Fault, PauseLevel][] => [
  ['pause', { level: 'fleet' }],
  ['pause service', { level: 'service', service: 'web' }],
  ...machines.flatMap(({ id }): [Fault, PauseLevel][] => [
    ['pause host', { level: 'host', hostId: id }],
    ['pause queue', { level: 'queue', hostId: id }],
  ]),
  ...[...fleet.waves.values()]
    // One that nobody lifts holds its own wave for good, rightly.
    .filter(({ state, byHand }) => state === 'open' && (byHand || !keepsPauses))
    .map(({ id }): [Fault, PauseLevel] => ['pause wave', { level: 'wave', waveId: id }]),
];

const nameOf = (level: PauseLevel): string => Object.values(level).join(' ');

const hasPause = ({ pauses }: Fleet, level: PauseLevel): boolean =>
  [...pauses.values()].some((pause) => nameOf(pause.level) === nameOf(level));

const operatorMoves = (core: Core, world: World, add: Add): void => {
  const { fleet } = world;
  const act = (label: string, fault: Fault | null, action: OperatorAction): void => {
    add(`operator: ${label}`, fault, (next) => {
      const { byHand = true } =
        'waveId' in action ? (next.fleet.waves.get(action.waveId) ?? {}) : {};
      serve(core, next, { kind: 'operator', actor: 'op', action });
      if ((action.action === 'stop' || action.action === 'decline') && !byHand) next.decisions += 1;
      if (action.action === 'park') leaveDown(next, action.container);
    });
  };
  for (const { level } of fleet.pauses.values())
    if (!world.keepsPauses) act(`resume ${nameOf(level)}`, null, { action: 'resume', level });
  for (const [fault, level] of pausesOf(world))
    if ((world.left[fault] ?? 0) > 0 && !hasPause(fleet, level))
      act(`pause ${nameOf(level)}`, fault, { action: 'pause', level, reason: '' });
  const [freeze] = fleet.freezes.keys();
  if (freeze !== undefined) act('unfreeze', null, { action: 'unfreeze', id: freeze });
  else act('freeze', 'freeze', { action: 'freeze', reason: '', until: null });
  act('upgrade', 'upgrade', {
    action: 'upgrade',
    hosts: world.machines.map(({ id }) => id),
    mode: 'packages',
    packages: [{ name: 'lib', want: 'newest', version: null }],
    allowRemove: false,
  });
  const [first] = fleet.containers.keys();
  if (first !== undefined)
    act(`restart ${first}`, 'restart by hand', {
      ...{ action: 'restart', containers: [first], what: '' },
    });
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    if (wave.pausedBy !== null)
      act('resume the wave', null, { action: 'resume', level: { level: 'wave', waveId: wave.id } });
    act(`stop wave ${wave.id}`, 'stop wave', { action: 'stop', waveId: wave.id });
    if (![...fleet.grants.values()].some(({ waveId }) => waveId === wave.id))
      act(`decline wave ${wave.id}`, 'decline', { action: 'decline', waveId: wave.id });
    if (wave.approvedBy === null && wave.cause.kind === 'found-stale')
      act('approve', null, { action: 'approve', waveId: wave.id });
  }
  for (const { failed, container, id } of fleet.grants.values())
    if (failed && container !== null)
      if (
        ![...fleet.grants.values()].some(
          ({ expect }) => expect?.kind === 'retry' && expect.grantId === id,
        )
      )
        act(`retry ${container}`, 'retry', {
          action: 'retry',
          scope: { of: 'container', container },
        });
  for (const { id, view, parked } of fleet.containers.values())
    if (view.ownerStopped && !parked) act(`park ${id}`, null, { action: 'park', container: id });
    else if (view.state === 'stopped' && !parked)
      act(`park ${id}`, 'park', { action: 'park', container: id });
};

const personMoves = (core: Core, machine: Machine, add: Add): void => {
  if (machine.broken)
    add('somebody mends the host', null, (_, own) => {
      own.broken = false;
    });
  machine.boxes.forEach((box, index) => {
    if (box.sick)
      add(`somebody mends ${boxName(index)}`, null, (_, own) => {
        const mended = own.boxes[index];
        if (mended === undefined) return;
        mended.sick = false;
        if (mended.up) mended.away = false;
      });
    if (!box.up && box.alerted && box.downBy === 'us' && machine.alive)
      add(`somebody starts ${boxName(index)}`, null, (world, own) => {
        const started = own.boxes[index];
        if (started === undefined) return;
        Object.assign(started, { up: true, version: own.lower, downBy: null, away: false });
        started.instance += 1;
        observe(core, world, own);
      });
  });
};

/** Time passes for everybody at once; `looks`: agents look around, as they do every few minutes. */
const tick = (core: Core, world: World, looks: boolean): void => {
  world.now += tickMs;
  serve(core, world, { kind: 'tick' });
  for (const machine of world.machines) {
    if (!machine.alive) continue;
    feed(core, world, machine, { kind: 'tick' });
    if (looks) observe(core, world, machine);
  }
};

/** All that may happen next, faults as far as they are left. */
export const movesOf = (core: Core, world: World): Move[] => {
  world.stored ??= rowsOf(world.fleet);
  const moves: Move[] = [];
  const adder =
    (at: number | null): Add =>
    (label, fault, apply, local) => {
      if (fault !== null && (world.left[fault] ?? 0) <= 0) return;
      const prefix =
        at === null || world.machines.length === 1 ? '' : `${world.machines[at]?.id ?? ''}: `;
      moves.push({
        label: `${prefix}${label}`,
        fault,
        local: local === 'local',
        apply: (next) => {
          if (fault !== null) next.left[fault] = (next.left[fault] ?? 0) - 1;
          apply(next, next.machines[at ?? 0] as Machine);
          if (local !== 'local' && world.lastId === null) readWhatIsNoNews(core, next);
        },
      });
    };
  world.machines.forEach((machine, at) => {
    agentMoves(core, world, machine, adder(at));
    reportMoves(core, world, machine, adder(at));
    personMoves(core, machine, adder(at));
  });
  const add = adder(null);
  operatorMoves(core, world, add);
  if (world.drainBroken)
    add('the load balancer answers again', null, (next) => {
      next.drainBroken = false;
    });
  else
    add('the load balancer does not answer', 'undrain fails', (next) => {
      next.drainBroken = true;
    });
  add('Redis comes back empty', 'redis empty', (next) => {
    next.wire.clear();
    for (const machine of next.machines) machine.register = null;
  });
  add('the server dies, another leads', 'server crash', (next) => {
    changeLeader(core, next, false);
  });
  add('the leader stands still, another leads', 'leader paused', (next) => {
    changeLeader(core, next, true);
  });
  if (moves.every(({ fault }) => fault !== null))
    add('10 s pass', null, (next) => {
      tick(core, next, true);
    });
  else if (!world.machines.some(isUnnoticed))
    add('10 s pass all the same', 'delay', (next) => {
      tick(core, next, false);
    });
  return moves;
};
