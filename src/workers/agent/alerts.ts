import { beginningOf } from '../../core/beginning-of.ts';
import { longestProblem, mostProblems } from '../../core/messages.ts';
import type { Alert } from './agent-status.ts';

/** `reported` false: the server hears of it in another way, or cannot hear of it at all. */
export type RaiseAlert = (message: string, options?: { reported?: boolean }) => void;

/** What people must know, each message once with its count; the newest first. */
export interface Alerts {
  raise: RaiseAlert;
  list: () => Alert[];
  /** What the server is told now: what came lately, so that it is gone there some minutes after its cause. */
  problems: () => string[];
}

const keepAtMost = 50;
/** A message that comes again within this time is not logged once more. */
const quietMs = 60_000;
/** What lasts is raised again by each look that fails; scans of the whole host are five minutes apart. */
const standsMs = 900_000;

export const createAlerts = (wallMs: () => number, log: (message: string) => void): Alerts => {
  const alerts = new Map<string, Alert & { reported: boolean }>();
  const newestFirst = () => [...alerts.values()].reverse();
  return {
    raise: (message, { reported = true } = {}) => {
      const now = wallMs();
      const before = alerts.get(message);
      if (before === undefined || now - before.lastAt > quietMs) log(message);
      alerts.delete(message);
      alerts.set(message, {
        ...{ message, reported },
        firstAt: before?.firstAt ?? now,
        lastAt: now,
        count: (before?.count ?? 0) + 1,
      });
      for (const oldest of alerts.keys()) {
        if (alerts.size <= keepAtMost) break;
        alerts.delete(oldest);
      }
    },
    list: () => newestFirst().map(({ reported: _, ...alert }) => alert),
    problems: () => {
      const now = wallMs();
      return newestFirst()
        .filter(({ reported, lastAt }) => reported && Math.abs(now - lastAt) <= standsMs)
        .map(({ message }) => beginningOf(message, longestProblem))
        .filter((text, index, all) => all.indexOf(text) === index)
        .slice(0, mostProblems);
    },
  };
};
