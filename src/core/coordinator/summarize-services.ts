import { describeOwnFiles, ownFileLine, shadowingFiles } from '../own-files.ts';
import { serviceState } from './availability.ts';
import type { ServiceSummary } from './explain.ts';
import type { Fleet } from './fleet.ts';
import { modeFor } from './may-grant.ts';

/** Availability of each service against its floor. */
export const summarizeServices = (fleet: Fleet, now: number): ServiceSummary[] => {
  const names = new Set([
    ...fleet.services.keys(),
    ...[...fleet.containers.values()]
      .filter(({ view }) => view.onHostRoot)
      .map(({ service }) => service),
  ]);
  return [...names].sort().map((name) => {
    const state = serviceState(fleet, name, now);
    const members = state.members.flatMap((id) => fleet.containers.get(id) ?? []);
    return {
      name,
      members: state.members.length,
      available: state.counted - state.unavailable.size,
      floor: state.counted - state.limit,
      limit: state.limit,
      unavailable: [...state.unavailable].map(([container, why]) => ({ container, why })),
      stale: members.filter(({ view }) => view.stale.length > 0).length,
      shadowed: members.filter(({ view }) => shadowingFiles(view.shadowed).length > 0).length,
      ownFiles: members.flatMap((member) => {
        const what = describeOwnFiles(member.view.shadowed);
        if (what === null) return [];
        const shadowed = shadowingFiles(member.view.shadowed).length > 0;
        return [
          {
            container: member.id,
            code: shadowed ? ('shadowed' as const) : ('own version' as const),
            what,
            files: member.view.shadowed.map(ownFileLine),
          },
        ];
      }),
      mode:
        members[0] === undefined
          ? (fleet.services.get(name)?.mode ?? 'approve')
          : modeFor(fleet, members[0]),
      conflicts: members.flatMap(({ id, membershipProblem }) =>
        membershipProblem === null ? [] : [{ container: id, reason: membershipProblem }],
      ),
      optedOut: members.flatMap(({ id, view: { optOut } }) =>
        optOut === null ? [] : [{ container: id, ...optOut }],
      ),
    };
  });
};
