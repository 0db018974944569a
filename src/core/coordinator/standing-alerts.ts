import type { FeedView } from '../advisories/advisory-views.ts';
import type { HostId } from '../ids.ts';
import { printable } from '../printable.ts';
import { barred } from './barred.ts';
import { diedAlerts } from './died.ts';
import type { Fleet, Grant, Host, Pause } from './fleet.ts';
import { gateText } from './gate-text.ts';
import type { Moment } from './may-grant.ts';
import { doubters, isSilent, silenceText } from './silence.ts';

/** Something that a person should know and that is so now. */
export interface StandingAlert {
  /** By the wall clock, in ms; null: not known. */
  since: number | null;
  text: string;
}

/** R20. The one text for the notice and for `status`. The agent of an upgrade answers, where its host is heard, and says what it is at. */
export const suspectText = (
  fleet: Fleet,
  { kind, container, host: hostId, waiting }: Grant,
  now: number,
): string => {
  const host = fleet.hosts.get(hostId);
  return kind !== 'upgrade' || host === undefined || isSilent(fleet, host, now)
    ? `${container ?? hostId} does not answer: its grant is past its deadline`
    : `the upgrade of ${hostId} is past its deadline and not over${waiting === null ? '' : `: ${waiting}`}`;
};

/** R29: the other hosts of its wave wait for it. */
export const silentUpgradeText = (hostId: HostId): string =>
  `upgrade of ${hostId}: ${silenceText(hostId)}`;

/** How each reason begins that a restored store is paused for. */
const restoredFrom = 'the store was restored from a backup';

/**
 * R16. What people decided since the backup is not known any more: nothing begins before one of them has looked. `of`: when
 * the backup was made, and by whom it was put in place; null: hosts have found it, and that is not known.
 */
export const storeRestoredText = (of: string | null): string =>
  `${restoredFrom}${of === null ? '' : ` of ${of}`}: what people did since is forgotten (waves declined, stopped or approved; pauses and freezes; hosts enrolled, excluded or removed; keys changed or revoked): do it again, look at groundswell waves, then groundswell resume`;

/** Whether a pause waits for a person who has to look at what a restore has lost. */
export const isForRestore = ({ level, reason }: Pick<Pause, 'level' | 'reason'>): boolean =>
  level.level === 'fleet' && reason.includes(restoredFrom);

/** R16: one host alone. */
export const knowsMoreText = (hostId: string): string =>
  `host ${hostId} knows more than the store does: the store was restored from a backup, or this host has served another server, or is in others' hands (groundswell host exclude ${hostId} --fenced)`;

/** R16: one of two is not what it says. */
export const heldTwiceText = (hostId: string, other: string): string =>
  `hosts ${hostId} and ${other} say that they hold the same grant, so one of them is broken or in others' hands: groundswell host exclude --fenced the one that is; until then nothing is known of ${hostId}`;

/** R16: what nobody gave. */
export const holdsTooManyText = (hostId: string): string =>
  `host ${hostId} says that it holds more than any host is given at once: it is broken or in others' hands (groundswell host exclude ${hostId} --fenced); until then nothing is known of it`;

/** R19. Every step is tried again with the next event, so that it goes on by itself. */
export const storeFailingText = (why: string): string =>
  `the store cannot be written (${why}): nothing is granted, and neither what hosts say nor what people ask is taken, until it can; look at the room on its disk`;

/** A step of the coordinator that threw: of `kind` was what it was to decide about. */
export const undecidedText = (kind: string, why: string): string =>
  `a fault of Groundswell's own (${why}) kept it from deciding about an event (${kind}), which is not taken; all else goes on: report it with what the server's log says`;

/** R15. */
export const journalLostText = (hostId: string): string =>
  `${hostId} lost its journal: its grants are asked for again`;

/**
 * What is wrong in the fleet now. Nothing is remembered: each follows from what the store holds, so that it
 * outlasts a restart of the server, and is gone with its cause.
 */
export const fleetAlerts = (fleet: Fleet, { now, wall }: Moment): StandingAlert[] => [
  ...doubters(fleet).map(({ id }) => ({ since: null, text: knowsMoreText(id) })),
  ...[...fleet.grants.values()]
    .filter(({ suspect, failed }) => suspect && !failed)
    .map((grant) => ({
      since: wall.ms - Math.max(0, now - grant.deadline),
      text: suspectText(fleet, grant, now),
    })),
  ...[...fleet.grants.values()].flatMap(({ kind, host: hostId }) => {
    const host = fleet.hosts.get(hostId);
    if (kind !== 'upgrade' || host === undefined || !isSilent(fleet, host, now)) return [];
    const since = host.heardAt === null ? null : wall.ms - (now - host.heardAt);
    return [{ since, text: silentUpgradeText(hostId) }];
  }),
  ...[...fleet.hosts.values()].flatMap((host) => {
    const gate = gateText(host);
    return [
      ...(gate === null ? [] : [{ since: host.gateSince, text: gate }]),
      ...(host.suspects.length === 0
        ? []
        : [{ since: host.journalLostAt, text: journalLostText(host.id) }]),
    ];
  }),
  ...sameOnHosts(fleet, unreadOf).map(({ hosts, problem }) => ({
    since: null,
    text: `the repositories of ${hosts} cannot be read, so that fixes are not seen there: ${problem}`,
  })),
  ...diedAlerts(fleet).map((text) => ({ since: null, text })),
  ...agentProblems(fleet),
];

/** So many hosts are named that the same is wrong with. */
const namedAtMost = 3;

/** Where what its repositories offer is not known anew: a fix is not seen there, and no wave brings it. */
const unreadOf = ({ needs }: Host): string[] => {
  const problem = needs?.unread ?? null;
  return problem === null ? [] : [problem];
};

/** So many are told that agents say; a fleet may have as many others as it has containers. */
const saidAtMost = 20;

const agentProblems = (fleet: Fleet): StandingAlert[] => {
  const all = sameOnHosts(fleet, ({ problems }) => problems.filter((text) => text.trim() !== ''));
  const more = all.length - saidAtMost;
  return [
    ...all
      .slice(0, saidAtMost)
      .map(({ hosts, problem }) => `the agent of ${hosts} says: ${printable(problem)}`),
    ...(more > 0 ? [`agents say ${more} other things that are wrong: see their own logs`] : []),
  ].map((text) => ({ since: null, text }));
};

/** Each problem once, with the hosts that take part and have it. */
const sameOnHosts = (
  { hosts }: Fleet,
  problemsOf: (host: Host) => readonly string[],
): { hosts: string; problem: string }[] => {
  const byProblem = new Map<string, HostId[]>();
  for (const host of hosts.values()) {
    if (barred(host) !== null) continue;
    for (const problem of new Set(problemsOf(host))) {
      const known = byProblem.get(problem);
      if (known === undefined) byProblem.set(problem, [host.id]);
      else known.push(host.id);
    }
  }
  return [...byProblem].map(([problem, ids]) => {
    const more = ids.length - namedAtMost;
    const named = ids.slice(0, namedAtMost).join(', ');
    return { problem, hosts: `${named}${more > 0 ? ` and ${more} more` : ''}` };
  });
};

/** What is wrong with the feeds now. */
export const feedAlerts = (feeds: readonly FeedView[]): StandingAlert[] =>
  feeds.flatMap(({ name, held, error, silent, lastSuccess, since }) => [
    ...(held === null
      ? []
      : [{ since: held.since, text: `feed ${name} is ${error ?? 'held back'}` }]),
    ...(silent
      ? [
          {
            since: lastSuccess ?? since,
            text: `feed ${name} is silent${error === null ? '' : `: ${error}`}`,
          },
        ]
      : []),
  ]);
