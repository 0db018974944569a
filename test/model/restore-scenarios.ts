import type { Break } from './compile.ts';
import type { Fault, Scenario } from './world.ts';

const named = (
  name: string,
  hosts: Scenario['hosts'],
  faults: Partial<Record<Fault, number>>,
  more: Partial<Scenario> = {},
): Scenario => ({
  ...{ name, hosts, budget: 1, hostCap: 2, beginBeforeMs: 60_000 },
  // What was told and forgotten is found stale later, and rightly.
  faults: { 'outside upgrade': 2, 'journal lost': 0, ...faults },
  ...more,
});

const one = [{ boxes: 3 }];
const two = [{ boxes: 2 }, { boxes: 2 }];

const crashes = { 'agent crash': 2, 'server crash': 2, 'leader paused': 1, delay: 3 };

export const restoreScenarios: Scenario[] = [
  named('restored, one host', one, {}),
  named('restored, two hosts', two, {}),
  named('restored, and agents and servers crash', two, crashes),
  named('restored, and messages are lost, doubled and late', two, {
    ...{ 'job lost': 3, 'job doubled': 3, 'record lost': 2, 'redis empty': 1, delay: 4 },
    ...{ 'report overtakes': 2, 'report doubled': 2 },
  }),
  named('restored, and a host lost its journal', two, { 'journal lost': 1, 'agent crash': 1 }),
  named('restored, and restarts fail and are tried again', two, {
    ...{ sick: 2, 'start fails': 1, retry: 3, 'undrain fails': 1 },
  }),
  named('restored, and owners stop and start', two, { 'owner stops': 2, 'owner restarts': 2 }),
  named('restored, and people pause, stop and restart by hand', two, {
    ...{ pause: 2, freeze: 1, 'stop wave': 1, 'restart by hand': 2 },
  }),
  named(
    'restored, upgrades of ours',
    two,
    { 'outside upgrade': 0, upgrade: 2, ...crashes },
    { ownUpgrade: true },
  ),
  named('restored twice, known, and agents and servers crash', two, crashes, { saysSo: true }),
  named(
    'restored twice, known, upgrades of ours, and people restart by hand',
    two,
    { 'outside upgrade': 0, upgrade: 2, 'restart by hand': 2, 'agent crash': 1 },
    { saysSo: true, ownUpgrade: true },
  ),
];

interface RestoreBreak extends Break {
  what: string;
  shownBy: string[];
  scenario: Scenario;
}

const scenarioOf = (part: string): Scenario => {
  const found = restoreScenarios.find(({ name }) => name.includes(part));
  if (found === undefined) throw new Error(`no scenario ${part}`);
  return found;
};

export const restoreBreaks: RestoreBreak[] = [
  {
    what: 'what was acknowledged and forgotten proves nothing',
    file: 'coordinator/restored-store.ts',
    from: 'if (!isForgotten) return;',
    to: 'return;',
    shownBy: ['L1', 'I1'],
    scenario: scenarioOf('two hosts'),
  },
  {
    what: 'what an agent holds is not adopted',
    file: 'coordinator/apply-report.ts',
    from: 'adoptGrants(turn, host, report);',
    to: '',
    shownBy: ['I1', 'L1'],
    scenario: scenarioOf('two hosts'),
  },
  {
    what: 'what an agent holds no more stays open',
    file: 'coordinator/restored-store.ts',
    from: 'if (hostId !== host.id || held.has(id) || (step === null && !suspects.has(id))) continue;',
    to: 'if (hostId !== host.id || id.length > 0) continue;',
    shownBy: ['L1'],
    scenario: scenarioOf('lost its journal'),
  },
  {
    what: '`paused` is shown while a host may hold what was forgotten',
    file: 'coordinator/pause-state.ts',
    from: 'barred(host) === null && host.incarnation !== null && isUntold && concerned',
    to: 'isUntold && concerned && host.recordN < 0',
    shownBy: ['I5'],
    scenario: scenarioOf('by hand'),
  },
];
