import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoAnswer, httpGet } from './ask.ts';
import type { Endpoint } from './ask.ts';

export interface LoadReport {
  ok: number;
  failed: number;
  /** How often each reason was seen, such as `ECONNRESET` or `HTTP 503`. */
  failures: Record<string, number>;
  /** Per container, which library versions answered, and how often. */
  versions: Record<string, Record<string, number>>;
  /** Per container, the library version of its latest answer. */
  latest: Record<string, string>;
}

export interface Load {
  /** Per service, what has happened up to now. */
  report: () => Record<string, LoadReport>;
  /** Lets the requests in flight end and answers everything. */
  stop: () => Promise<Record<string, LoadReport>>;
}

export interface LoadOptions {
  /** Where each service is asked. */
  targets: Readonly<Record<string, Endpoint>>;
  /** Connections kept open per service, each with one request at a time; default 16. */
  connections?: number;
  /** How long the service takes for a request; default 100: each connection has one in flight nearly always, at few a second. */
  workMs?: number;
  /** Pause of a connection after a request; default 0, but `workMs` after one that failed. */
  pauseMs?: number;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);

const countIn = (counts: Record<string, number>, key: string): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** Steady load on several services at once, until it is stopped. Each failed request counts. */
export const startLoad = (options: LoadOptions): Load => {
  const { targets, connections = 16, workMs = 100, pauseMs = 0 } = options;
  const reports: Record<string, LoadReport> = {};
  const agents: Agent[] = [];
  let stopped = false;
  const isStopped = (): boolean => stopped;

  const one = async (endpoint: Endpoint, agent: Agent, into: LoadReport): Promise<boolean> => {
    try {
      const path = `/?ms=${workMs}`;
      const { status, body } = await httpGet(endpoint, path, { agent, timeoutMs: 30_000 });
      if (status !== 200) throw new Error(`HTTP ${status}`);
      const answer = DemoAnswer.parse(JSON.parse(body));
      into.ok++;
      countIn((into.versions[answer.host] ??= {}), answer.library);
      into.latest[answer.host] = answer.library;
      return true;
    } catch (error) {
      into.failed++;
      countIn(into.failures, reasonOf(error));
      return false;
    }
  };

  const running = Object.entries(targets).flatMap(([service, endpoint]) => {
    const into: LoadReport = { ok: 0, failed: 0, failures: {}, versions: {}, latest: {} };
    reports[service] = into;
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    agents.push(agent);
    return Array.from({ length: connections }, async () => {
      while (!isStopped()) {
        const ok = await one(endpoint, agent, into);
        // What is refused at once would otherwise be asked again thousands of times a second.
        const waitMs = ok ? pauseMs : Math.max(pauseMs, workMs);
        if (waitMs > 0) await sleep(waitMs);
      }
    });
  });

  return {
    report: () => structuredClone(reports),
    stop: async () => {
      stopped = true;
      await Promise.all(running);
      for (const agent of agents) agent.destroy();
      return structuredClone(reports);
    },
  };
};
