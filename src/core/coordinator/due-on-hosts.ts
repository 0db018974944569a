import { addToCause, hasBegun, isLate } from './advisories-cause.ts';
import type { Decided, Decisions } from './decisions.ts';
import type { AdvisoriesCause, Host, WaveUpgrade } from './fleet.ts';
import { openAdvisoryWaves, seenBy } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { packageKey, triedOn } from './tried.ts';
import type { Turn } from './turn.ts';

/** A need that may be met now, and to which version. */
export interface Due extends Decided {
  key: string;
  target: string;
}

/** What may be begun on a host and no wave sees to. */
const unseenDue = (decisions: Decisions, waves: readonly AdvisoryWave[], host: Host): Due[] =>
  [...decisions.of(host)].flatMap(([key, decided]): Due[] => {
    const { need, decision, together } = decided;
    const { target } = need;
    if (decision.kind === 'wait' || target === null || triedOn(host, need) === 'yes') return [];
    if (seenBy(waves, host.id, key, target) !== 'no') return [];
    const isTaken = together.some(
      (one) => seenBy(waves, host.id, packageKey(one), one.target) === 'taken',
    );
    return isTaken ? [] : [{ ...decided, key, target }];
  });

/** What is due on hosts and may go into one wave, source by source. */
export interface Group extends Pick<AdvisoriesCause, 'mode' | 'whenMirrorMoved'> {
  /** It begins by itself, and waits for no maintenance window any more. */
  isLate: boolean;
  sources: readonly (readonly Due[])[];
}

/** What is asked about one host after another in one turn: each is answered once for all that are alike. */
export interface Questions {
  groupsFor: (host: Host) => readonly Group[];
  waves: () => readonly AdvisoryWave[];
  hasBegun: (wave: AdvisoryWave) => boolean;
  isLate: (wave: AdvisoryWave) => boolean;
  /** What is due comes to what a wave is for; that of hosts that are alike once. */
  addOnce: (wave: AdvisoryWave, due: readonly Due[]) => void;
  /** A wave was opened. */
  forgetWaves: () => void;
}

export const createQuestions = ({ fleet, wall }: Turn, decisions: Decisions): Questions => {
  let waves: readonly AdvisoryWave[] | null = null;
  const openWaves = (): readonly AdvisoryWave[] => (waves ??= openAdvisoryWaves(fleet));
  const begun = new Map<AdvisoryWave, boolean>();
  const added = new Map<AdvisoryWave, Set<readonly Due[]>>();
  const known = new Map<string, readonly Group[]>();
  const numbers = new Map<WaveUpgrade['packages'], number>();
  const numberOf = (packages: WaveUpgrade['packages']): number => {
    const number = numbers.get(packages) ?? numbers.size;
    numbers.set(packages, number);
    return number;
  };
  const isDecidedLate = ({ decision }: Due): boolean =>
    decision.kind === 'go' && isLate(fleet, decision.startBy, wall.ms);
  const groupsOf = (host: Host): Group[] => {
    const due = unseenDue(decisions, openWaves(), host);
    return kindsOfWaves.flatMap(({ isLate: late, mode, whenMirrorMoved }) => {
      const group = due.filter(
        (one) =>
          decisions.modeOf(host, one) === mode &&
          one.decision.rule.whenMirrorMoved === whenMirrorMoved &&
          (mode === 'auto' && isDecidedLate(one)) === late,
      );
      const sources = [...new Set(group.map(({ together }) => together))].map((together) =>
        group.filter((one) => one.together === together),
      );
      return sources.length === 0 ? [] : [{ isLate: late, mode, whenMirrorMoved, sources }];
    });
  };
  return {
    groupsFor: (host) => {
      const inWaves = openWaves().flatMap(({ id, upgrades }) => {
        const upgrade = upgrades.get(host.id);
        return upgrade === undefined
          ? []
          : [`${id} ${upgrade.state} ${numberOf(upgrade.packages)}`];
      });
      const key = [...inWaves, decisions.situationOf(host)].join('\n');
      const groups = known.get(key) ?? groupsOf(host);
      known.set(key, groups);
      return groups;
    },
    waves: openWaves,
    isLate: ({ cause }) => cause.mode === 'auto' && isLate(fleet, cause.startBy, wall.ms),
    hasBegun: (wave) => {
      const known = begun.get(wave) ?? hasBegun(wave);
      begun.set(wave, known);
      return known;
    },
    addOnce: (wave, due) => {
      const there = added.get(wave) ?? new Set<readonly Due[]>();
      if (there.has(due)) return;
      added.set(wave, there.add(due));
      for (const one of due) addToCause(wave.cause, one);
    },
    forgetWaves: () => {
      waves = null;
    },
  };
};

const kindsOfWaves = (['approve', 'auto'] as const).flatMap((mode) =>
  (['wait', 'start-over'] as const).flatMap((whenMirrorMoved) =>
    [false, true].map((isLate) => ({ isLate, mode, whenMirrorMoved })),
  ),
);
