import { beforeEach, expect, test } from '@jest/globals';
import { longestProblem, mostProblems } from '../../../src/core/messages.ts';
import { createAlerts } from '../../../src/workers/agent/alerts.ts';
import type { Alerts } from '../../../src/workers/agent/alerts.ts';

let now: number;
let logged: string[];
let alerts: Alerts;
beforeEach(() => {
  now = 1_000_000;
  logged = [];
  alerts = createAlerts(
    () => now,
    (message) => logged.push(message),
  );
});

test('what comes again is counted, and logged once a minute', () => {
  for (const ms of [0, 30_000, 60_001]) {
    now = 1_000_000 + ms;
    alerts.raise('a');
  }
  now += 60_001;
  alerts.raise('a');
  expect(logged).toEqual(['a', 'a']);
  expect(alerts.list()).toEqual([
    { message: 'a', firstAt: 1_000_000, lastAt: 1_120_002, count: 4 },
  ]);
});

test('the server is told what came lately, the newest first, and not what it knows already', () => {
  alerts.raise('old');
  now += 900_001;
  alerts.raise('scan');
  alerts.raise('reports do not reach it', { reported: false });
  alerts.raise('packages');
  expect(alerts.problems()).toEqual(['packages', 'scan']);
  now += 900_001;
  expect(alerts.problems()).toEqual([]);
  alerts.raise('old');
  expect(alerts.problems()).toEqual(['old']);
  // A clock that was put back does not keep it for ever.
  now -= 3_600_000;
  expect(alerts.problems()).toEqual([]);
});

test('and no more of that than a report may hold', () => {
  for (let index = 0; index < 80; index++) alerts.raise(`${index}${'x'.repeat(2_000)}`);
  // The same in what is told of it.
  alerts.raise(`79${'x'.repeat(2_001)}`);
  const problems = alerts.problems();
  expect(problems).toHaveLength(mostProblems);
  expect(problems[0]).toMatch(/^79x+$/);
  expect(problems[0]).toHaveLength(longestProblem);
  expect(alerts.list()).toHaveLength(50);
});
