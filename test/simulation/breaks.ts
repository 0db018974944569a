import { brokenRules } from '../model/breaks.ts';
import type { Break } from '../model/compile.ts';

/** A rule that is taken out of the code, and the rules whose violation may show it. */
export interface BrokenInSimulation extends Break {
  rule: string;
  what: string;
  shownBy: string[];
}

/** One that the model finds as well. */
const asInModel = (what: string, ...more: string[]): BrokenInSimulation => {
  const found = brokenRules.find((one) => one.what === what);
  if (found === undefined) throw new Error(`the model breaks no rule "${what}"`);
  const { rule, file, from, to, shownBy } = found;
  return { rule, what, file, from, to, shownBy: [...shownBy, ...more] };
};

export const brokenInSimulation: BrokenInSimulation[] = [
  asInModel('a report is forgotten before it is acknowledged', 'L1'),
  asInModel('a report may overtake another'),
  asInModel('a job for the lost incarnation is refused before its grants are known'),
  asInModel('what the lost incarnation had stopped is not started'),
  asInModel('a stopped container counts as available'),
  asInModel('an unhealthy container counts as available'),
  asInModel('one more than the budget is granted'),
  asInModel('the grants of one batch do not count for each other', 'I6'),
  asInModel('time frees a unit'),
  asInModel('a void grant begins'),
  asInModel('a refused container is not granted again when it was observed'),
  asInModel('the agent does not look whether the container was restarted or runs the present code'),
  asInModel('no intent is audited before the stop'),
  asInModel('a container that goes down before it was healthy is only watched', 'I4'),
  asInModel('the unit is free before the drain is undone'),
  asInModel('what a drain finds is not journaled before it'),
  asInModel('an upgrade does not wait for restarts'),
  asInModel('an upgrade that was taken back is not ordered anew'),
  asInModel('a host gate that did not pass is not asked again'),
  asInModel('an agent passes over pauses, and nothing is asked back'),
  {
    rule: 'R23',
    what: 'an intent need not be on disk when its stop begins',
    file: 'agent/needs-sync.ts',
    from: '!between.has(kind) || audits.length > 0 || effects.some((effect) => !harmless.has(effect.kind))',
    to: "kind !== 'checked' && !between.has(kind)",
    shownBy: ['I4', 'L2', 'L3'],
  },
  {
    rule: 'I6',
    what: 'the cap of a zone is not looked at',
    file: 'coordinator/may-grant.ts',
    from: 'if (inZone >= zoneCap)',
    to: 'if (inZone > zoneCap + 99)',
    shownBy: ['I6'],
  },
  {
    rule: 'I6',
    what: 'the cap of the fleet is not looked at',
    file: 'coordinator/may-grant.ts',
    from: 'if (fleetCap !== null && others(() => true) >= fleetCap)',
    to: 'if (fleetCap !== null && others(() => true) > fleetCap + 99)',
    shownBy: ['I6'],
  },
  {
    rule: 'I6',
    what: 'a host has the cap of the fleet, whatever its own is',
    file: 'coordinator/may-grant.ts',
    from: 'const hostCap = host.cap ?? fleet.settings.hostCap;',
    to: 'const { hostCap } = fleet.settings;',
    shownBy: ['I6'],
  },
  {
    rule: 'R17',
    what: 'a share of a service is rounded up',
    file: 'coordinator/availability.ts',
    from: 'share(budget.maxUnavailable, members, Math.floor)',
    to: 'share(budget.maxUnavailable, members, Math.ceil)',
    shownBy: ['I2', 'I1'],
  },
  {
    rule: 'R17',
    what: 'containers of a silent host count as available',
    file: 'coordinator/availability.ts',
    from: "if (isSilent(fleet, host, now)) return 'its host is silent';",
    to: '',
    shownBy: ['I2', 'I1'],
  },
  {
    rule: 'R33',
    what: 'containers of an excluded host count as available',
    file: 'coordinator/availability.ts',
    from: 'if (decided !== null) return `its host is ${decided}`;',
    to: 'if (decided !== null) return null;',
    shownBy: ['I2', 'I1'],
  },
  {
    rule: 'R17',
    what: 'nobody looks whether an outage was allowed for an upgrade',
    file: 'coordinator/schedule.ts',
    from: 'if (wave.outagesAllowed.includes(service)) continue;',
    to: '',
    shownBy: ['L1'],
  },
  {
    rule: 'R19',
    what: 'grants are kept in memory alone',
    file: 'coordinator/grants.ts',
    from: "touch(turn, { table: 'grants', key: grant.id }); beginWave(turn, wave);",
    to: 'beginWave(turn, wave);',
    shownBy: ['I1', 'I2', 'I6', 'L1', 'R19'],
  },
  {
    rule: 'R19',
    what: 'a server gives grants in a freeze',
    file: 'coordinator/may-grant.ts',
    from: 'if (frozen !== null) return deny(frozen);',
    to: '',
    shownBy: ['R19'],
  },
  {
    rule: 'R31',
    what: 'a server gives grants under a pause',
    file: 'coordinator/may-grant.ts',
    from: 'if (pause !== undefined) return deny(pauseText(pause));',
    to: '',
    shownBy: ['R31'],
  },
  {
    rule: 'R25',
    what: 'what its owner has stopped is taken for stopped by us',
    file: 'agent/checks.ts',
    from: "if (answers.state === 'stopped') return deny('it is stopped, and not by Groundswell');",
    to: "if (answers.state === 'stopped') return allow;",
    shownBy: ['L2'],
  },
  {
    rule: 'L3',
    what: 'a drain that could not be undone is left',
    file: 'agent/after-stop.ts',
    from: 'if (!event.ok) {',
    to: 'if (!event.ok && turn.mono < 0) {',
    shownBy: ['L3'],
  },
];
