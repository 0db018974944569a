import { forAWhile } from './doing.ts';
import type { At, Doing } from './doing.ts';
import { changed, comesUp, goesDown } from './look.ts';
import { upgradeByOthers } from './packages.ts';
import { count, note } from './world.ts';
import type { Box, World } from './world.ts';

const becomes = (world: World, box: Box, sick: boolean): void => {
  if (!box.up || box.sick === sick) return;
  changed(world, box);
  box.sick = sick;
  changed(world, box);
};

/** Packages by number; the same one in the same version on several hosts is one cause (R34). */
const packageOf = (n: number): { name: string; to: string } => ({
  name: `lib${n % 3}`,
  to: String(1 + (n % 4)),
});

/** Well and unwell by turns. */
const flap = (world: World, box: Box, endsAt: number): void => {
  if (world.time.now() >= endsAt || world.quiet) return becomes(world, box, false);
  becomes(world, box, !box.sick);
  world.time.after(box.machine.random.between(500, 4_000), () => flap(world, box, endsAt));
};

const onBox =
  (run: (world: World, box: Box, at: At) => string | null): Doing =>
  (world, at) =>
    at.box === null ? null : run(world, at.box, at);

/** Steps of a restart in whose middle something may happen. */
const moments = ['check', 'drain', 'stop', 'start', 'watch-health', 'undrain', 'verify'] as const;

/** To a container now, or, every other time, to the next of its host of which a restart comes to such a step. */
const toOne = (happens: (world: World, box: Box, at: At) => string | null): Doing =>
  onBox((world, box, at) => {
    const { act, machine } = at;
    if (act.n % 2 === 0) return happens(world, box, at);
    const moment = moments[act.box % moments.length] ?? 'check';
    machine.traps.set(moment, (trapped) => {
      const done = happens(world, trapped, at);
      if (done !== null)
        note(world, () => `* ${act.kind}, in the middle of its ${moment}: ${done}`);
    });
    return `the next ${moment} on ${machine.id}`;
  });

/** To a container, or, every other time, to the next of its host that is stopped. */
const afterStop = (run: (world: World, box: Box, at: At) => string): Doing =>
  onBox((world, box, at) => {
    const { act, machine } = at;
    // Often somebody is there who tries it again.
    if (act.n % 3 === 0) world.retriers += 1;
    if (act.n % 2 === 0) return run(world, box, at);
    machine.traps.set('stop', (trapped) => {
      const done = run(world, trapped, at);
      note(world, () => `* ${act.kind}: ${done}`);
    });
    return `the next that is stopped on ${machine.id}`;
  });

/** Something of all containers of a host, or of its upgrades, fails for a while. */
const failing =
  (what: 'drainFails' | 'undrainFails' | 'upgradeFails' | 'diskFull'): Doing =>
  (world, at) => {
    const { machine, act } = at;
    forAWhile(
      world,
      at,
      () => (machine[what] += 1),
      () => (machine[what] -= 1),
    );
    return `${machine.id} for ${act.seconds} s`;
  };

export const containerActs = {
  'falls sick': onBox((world, box, at) => {
    if (!box.up || box.sick) return null;
    forAWhile(
      world,
      at,
      () => becomes(world, box, true),
      () => becomes(world, box, false),
    );
    return `${box.id} for ${at.act.seconds} s`;
  }),
  flaps: onBox((world, box, { act }) => {
    flap(world, box, world.time.now() + act.seconds * 1_000);
    return `${box.id} for ${act.seconds} s`;
  }),
  'start fails': afterStop((_, box, { act }) => {
    box.badStarts += 1 + (act.n % 4);
    return `${box.id}, ${1 + (act.n % 4)} times`;
  }),
  'sick after start': afterStop((world, box, { act }) => {
    box.sickStarts += 1;
    world.time.after(act.seconds * 2_000, () => {
      box.sickStarts = 0;
      becomes(world, box, false);
    });
    return box.id;
  }),
  straggler: onBox((world, box, at) => {
    const factor = 2 + (at.act.n % 12);
    const before = box.slowness;
    forAWhile(
      world,
      at,
      () => (box.slowness = factor),
      () => (box.slowness = before),
    );
    return `${box.id}, ${factor} times slower`;
  }),
  'drain fails': failing('drainFails'),
  'undrain fails': failing('undrainFails'),
  'upgrade fails': (world, at) =>
    failing(at.act.n % 2 === 0 ? 'upgradeFails' : 'diskFull')(world, at),
  'outside upgrade': (world, { act, machine }) => {
    if (!machine.on) return null;
    const all = act.n % 4 === 0 ? world.machines : [machine];
    const what = packageOf(act.n);
    for (const one of all)
      upgradeByOthers(world, one, { ...what, takesMs: 300 + one.random.below(act.seconds * 300) });
    return `${what.name} on ${all.map(({ id }) => id).join(', ')}`;
  },
  'host breaks': (world, { act, machine }) => {
    if (!machine.on) return null;
    upgradeByOthers(world, machine, { ...packageOf(act.n), takesMs: 2_000 });
    machine.broken = true;
    world.time.after(act.seconds * 1_000, () => (machine.broken = false));
    return `${machine.id} for ${act.seconds} s`;
  },
  // Some owners do not ask LXC.
  'owner stops': toOne((world, box, { act }) => {
    if (!box.up) return null;
    const isKilled = act.n % 5 === 4;
    goesDown(world, box, isKilled ? 'death' : 'owner');
    if (isKilled) count(world, 'a monitor was killed');
    return isKilled ? `${box.id}, by killing its monitor` : box.id;
  }),
  'owner starts': toOne((world, box) => {
    if (box.up || !box.machine.on) return null;
    comesUp(world, box);
    return box.id;
  }),
  'owner restarts': toOne((world, box) => {
    if (!box.up) return null;
    goesDown(world, box, 'owner');
    comesUp(world, box);
    return box.id;
  }),
} satisfies Record<string, Doing>;
