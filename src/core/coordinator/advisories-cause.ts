import type { NeededAdvisory } from '../advisories/needs.ts';
import { isCurrent } from './decisions.ts';
import type { Decided, Decisions } from './decisions.ts';
import { entriesOf } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import type { AdvisoriesCause, Fleet, WantedUpgrade, Wave } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** Whether some upgrade of it was given out; one whose packages were mended otherwise was not. */
export const hasBegun = ({ upgrades }: Wave): boolean =>
  [...upgrades.values()].some(
    ({ state, packages }) =>
      state === 'running' || ((state === 'done' || state === 'failed') && packages.length > 0),
  );

/** What has none waits for its window for ever, and so does all that goes with it. */
const latest = (startBys: readonly (number | null)[]): number | null => {
  const known = startBys.filter((one) => one !== null);
  return known.length === 0 || known.length < startBys.length ? null : Math.max(...known);
};

/** Whether what is to begin by then waits for its maintenance window no longer. */
export const isLate = ({ settings }: Fleet, startBy: number | null, wallMs: number): boolean =>
  settings.window !== null && startBy !== null && wallMs >= startBy;

/** What is needed comes to what a wave is for; what is named already is not named twice. */
export const addToCause = (cause: AdvisoriesCause, { need, decision }: Decided): void => {
  const { name: source, arch, target, firstSeen, fixes } = need;
  const to = target ?? '';
  const isSame = (one: AdvisoriesCause['packages'][number]): boolean =>
    one.source === source && one.arch === arch && one.to === to;
  const startBy = decision.kind === 'go' ? decision.startBy : null;
  cause.startBy = cause.packages.length === 0 ? startBy : latest([cause.startBy, startBy]);
  if (!cause.packages.some(isSame)) cause.packages.push({ source, arch, to, firstSeen });
  for (const fix of fixes)
    if (!cause.advisories.some(({ id }) => id === fix.id)) cause.advisories.push(fix);
};

/** What the hosts of a wave that wait still need, all in all. */
const collect = (
  { fleet }: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
): Pick<AdvisoriesCause, 'advisories' | 'packages'> & {
  startBys: (number | null)[];
  isWhole: boolean;
} => {
  const advisories = new Map<string, NeededAdvisory>();
  const packages = new Map<string, AdvisoriesCause['packages'][number]>();
  const startBys: (number | null)[] = [];
  let isWhole = true;
  for (const one of wave.cause.packages) packages.set(`${one.source}:${one.arch} ${one.to}`, one);
  const used = new Set<string>();
  /** Lists of packages, and the situations of hosts that wait for them: equal hosts say the same. */
  const seen = new Map<readonly WantedUpgrade[], Set<string>>();
  for (const [hostId, { state, packages: wanted }] of wave.upgrades) {
    const host = fleet.hosts.get(hostId);
    if (state === 'left-out') continue;
    const waits = state === 'pending';
    const situation = waits && host !== undefined ? decisions.situationOf(host) : String(waits);
    const situations = seen.get(wanted) ?? new Set<string>();
    if (situations.has(situation)) continue;
    seen.set(wanted, situations.add(situation));
    if (waits && (host === undefined || !isCurrent(host))) isWhole = false;
    const decided = waits && host !== undefined && isCurrent(host) ? decisions.of(host) : null;
    for (const [name, entry] of entriesOf(wanted)) {
      const to = entry.version ?? '';
      const key = `${name} ${to}`;
      used.add(key);
      const found = decided?.get(name);
      const isMeant = found?.need.target === to;
      if (!packages.has(key))
        packages.set(key, {
          ...{ source: entry.name, arch: entry.arch ?? '', to },
          firstSeen: isMeant ? found.need.firstSeen : null,
        });
      const decision = isMeant ? found.decision : undefined;
      if (waits) startBys.push(decision?.kind === 'go' ? decision.startBy : null);
      if (found === undefined || !isMeant) continue;
      for (const one of found.need.fixes) advisories.set(one.id, one);
    }
  }
  return {
    ...{ advisories: [...advisories.values()], startBys, isWhole },
    packages: [...packages].flatMap(([key, one]) => (used.has(key) ? [one] : [])),
  };
};

/**
 * What a wave is for, by what its hosts need now: an advisory that the same version fixes is named as soon as it is known, one
 * that was taken back no more. What was begun stays named, since records name it.
 */
export const refreshCause = (turn: Turn, decisions: Decisions, wave: AdvisoryWave): void => {
  const { cause } = wave;
  const before = JSON.stringify([cause.advisories, cause.packages, cause.startBy]);
  const { advisories, packages, startBys, isWhole } = collect(turn, decisions, wave);
  cause.packages = packages;
  if (isWhole && !hasBegun(wave) && advisories.length > 0) cause.advisories = advisories;
  else {
    const known = new Set(cause.advisories.map(({ id }) => id));
    cause.advisories.push(...advisories.filter(({ id }) => !known.has(id)));
  }
  // Where nothing waits, what is restarted goes by what it was upgraded by.
  if (startBys.length > 0) cause.startBy = latest(startBys);
  if (JSON.stringify([cause.advisories, cause.packages, cause.startBy]) !== before)
    touch(turn, { table: 'waves', key: wave.id });
};
