import { generationOf } from './fleet.ts';
import type { Fleet, Host } from './fleet.ts';
import { pause } from './operator-holds.ts';
import { storeRestoredText } from './standing-alerts.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** No honest number is so far ahead: what a broken host says shall not lead to numbers that nobody can count on from. */
const largestLeap = 1_000;

/** The store is a backup that somebody has put in place: `groundswell restore` says so, and the backup itself does. */
export interface StoreRestored {
  kind: 'store-restored';
  /** Who put it there. */
  actor: string;
  /** When the backup was made, and when it was put in place (wall clock, ms); null: it does not say. */
  madeAt: number;
  restoredAt: number | null;
}

/**
 * The latest life of the store that can have been begun honestly, where one of number `from` is known: some restores may have
 * been found by hosts since, and each that was known is numbered as its leader was, before the present one.
 */
export const latestGeneration = ({ epoch }: Fleet, from: number): number =>
  Math.max(from + largestLeap, epoch);

/** A pause of the whole fleet, or one more reason for that which there is. */
const pauseAll = (turn: Turn, text: string): void => {
  const there = [...turn.fleet.pauses.values()].find(({ level }) => level.level === 'fleet');
  if (there === undefined) {
    pause(turn, 'groundswell', { level: 'fleet' }, text);
    return;
  }
  if (there.reason.includes(text)) return;
  there.reason = `${there.reason}; ${text}`;
  touch(turn, { table: 'pauses', key: there.id });
};

/** Nothing that the store says of a host counts before it has told, which it does when it hears of a later life of the store. */
export const askAnew = (turn: Turn, host: Host, atLeast: number): void => {
  host.generation = Math.max(generationOf(turn.fleet, host), atLeast) + 1;
  Object.assign(host, { known: false, resync: true, copiesMissing: true });
  Object.assign(host, { greeted: false, issued: [] });
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
};

/** A later life of the store, for all hosts; those that were asked before, each alone, are asked no second time. */
const beginGeneration = (turn: Turn, asked: readonly Host[], atLeast: number): void => {
  const { fleet } = turn;
  for (const host of fleet.hosts.values()) if (!asked.includes(host)) askAnew(turn, host, 0);
  fleet.generation = Math.max(
    fleet.generation + 1,
    Math.min(atLeast, latestGeneration(fleet, fleet.generation)),
  );
  fleet.raised = true;
  touch(turn, { table: 'meta', key: 'generation' });
  for (const host of fleet.hosts.values()) {
    if (!host.knowsMore) continue;
    host.knowsMore = false;
    touch(turn, { table: 'hosts', key: host.id });
  }
};

/** What people decided is forgotten as well: one of them has to look. */
const askPeople = (turn: Turn, text: string): void => {
  turn.notices.push({ kind: 'alert', waveId: null, text });
  pauseAll(turn, text);
};

/** Hosts have proved it. Others have heard of the same life as these, and may come back only after the next start of a server. */
export const beginProvedGeneration = (turn: Turn, by: readonly Host[]): void => {
  beginGeneration(turn, by, Math.min(...by.map((host) => generationOf(turn.fleet, host))));
  askPeople(turn, storeRestoredText(null));
};

/**
 * R16: it is known, so no host need prove it. Its number is that of the leader, which was given to no other since the backup
 * was made: hosts may have heard of a restore of the very same backup already, and have to tell again.
 */
export const onStoreRestored = (turn: Turn, { actor, ...at }: StoreRestored): void => {
  const { fleet } = turn;
  const madeAt = new Date(at.madeAt).toISOString();
  const restoredAt = at.restoredAt === null ? null : new Date(at.restoredAt).toISOString();
  const before = fleet.generation;
  beginGeneration(turn, [], fleet.epoch);
  // What some had said before the backup was made is answered by this.
  fleet.provers = [];
  audit(turn, {
    ...{ action: 'store-restored', actor, subject: 'fleet', outcome: 'known' },
    details: { madeAt, restoredAt, before, generation: fleet.generation },
  });
  askPeople(turn, storeRestoredText(`${madeAt} by ${actor}`));
  touch(turn, { table: 'meta', key: 'restored' });
};
