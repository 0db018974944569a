import type { HostId } from '../ids.ts';
import type { ControlRecord } from '../messages.ts';
import { barred } from './barred.ts';
import { generationOf } from './fleet.ts';
import type { Fleet, Host } from './fleet.ts';
import type { Turn } from './turn.ts';

/** How often a record is renewed while its host has open grants, and otherwise (R12), in ms. */
export const renewEveryMs = { busy: 5_000, quiet: 60_000 };

const frozenBecause = (fleet: Fleet, wallMs: number): string[] =>
  [...fleet.freezes.values()]
    .filter(({ until }) => until === null || until > wallMs)
    .map(({ reason, until }) =>
      until === null ? reason : `${reason} (until ${new Date(until).toISOString()})`,
    );

/** What is parked on each host, looked up once for all records of a turn. */
export const parkedNames = (fleet: Fleet): Map<HostId, string[]> => {
  const names = new Map<HostId, string[]>();
  for (const { host, parked, view } of fleet.containers.values())
    if (parked) names.set(host, [...(names.get(host) ?? []), view.name]);
  return names;
};

/**
 * R16: what a restored store takes for parked may be one that was started since, and that we have stopped: its agent would
 * leave it down. Its first word tells.
 */
const mayNameParked = ({ greeted, resync }: Host): boolean => greeted && !resync;

/** Issue the next control record of a host (R11, R12); its number rises with each. */
export const issueRecord = (
  turn: Turn,
  host: Host,
  parked: ReadonlyMap<HostId, string[]>,
): ControlRecord => {
  const { fleet, now } = turn;
  host.recordN += 1;
  // An echo that is older than the stale limit tells nothing more than silence does (R14).
  host.issued = host.issued.filter(({ at }) => now - at <= fleet.settings.staleLimitMs);
  host.issued.push({ n: host.recordN, at: now });
  return {
    number: [generationOf(fleet, host), fleet.epoch, host.recordN],
    serverTime: now,
    incarnation: host.incarnation,
    ackedSeq: host.ackedSeq,
    ...(host.copiesMissing && host.copied !== null ? { copied: host.copied } : {}),
    pauses: [...fleet.pauses.values()]
      .map(({ level }) => level)
      .filter((level) =>
        level.level === 'host' || level.level === 'queue' ? level.hostId === host.id : true,
      ),
    freezes: frozenBecause(fleet, turn.wall.ms),
    excluded: barred(host) !== null,
    voids: [...host.voids],
    suspects: [...host.suspects],
    parked: mayNameParked(host) ? (parked.get(host.id) ?? []) : [],
  };
};

export const hasOpenGrants = (fleet: Fleet, host: HostId): boolean =>
  [...fleet.grants.values()].some((grant) => grant.host === host);
