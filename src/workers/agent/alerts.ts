import type { Alert } from './agent-status.ts';

/** What people must know, each message once with its count; the newest first. */
export interface Alerts {
  raise: (message: string) => void;
  list: () => Alert[];
}

const keepAtMost = 50;
/** A message that comes again within this time is not logged once more. */
const quietMs = 60_000;

export const createAlerts = (wallMs: () => number, log: (message: string) => void): Alerts => {
  const alerts = new Map<string, Alert>();
  return {
    raise: (message) => {
      const now = wallMs();
      const before = alerts.get(message);
      if (before === undefined || now - before.lastAt > quietMs) log(message);
      alerts.delete(message);
      alerts.set(message, {
        message,
        firstAt: before?.firstAt ?? now,
        lastAt: now,
        count: (before?.count ?? 0) + 1,
      });
      for (const oldest of alerts.keys()) {
        if (alerts.size <= keepAtMost) break;
        alerts.delete(oldest);
      }
    },
    list: () => [...alerts.values()].reverse(),
  };
};
