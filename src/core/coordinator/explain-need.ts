import type { Need, NeededAdvisory } from '../advisories/needs.ts';
import { platformValue } from '../platform-value.ts';
import { openAdvisoryWaves } from './advisory-waves.ts';
import type { Fleet, Host } from './fleet.ts';
import { decideNeed } from './policy.ts';

const isSame = (a: NeededAdvisory, b: NeededAdvisory): boolean =>
  a.feed === b.feed && a.id === b.id;

/** The wave that brings a package to a host; null: none does. */
export const waveOfNeed = (fleet: Fleet, hostId: string, name: string): string | null =>
  openAdvisoryWaves(fleet).find(({ upgrades }) =>
    upgrades.get(hostId)?.packages.some((one) => one.name === name),
  )?.id ?? null;

/** What is decided about a host's need, in words; `advisory`: with this one in mind. */
export const explainNeed = (
  fleet: Fleet,
  host: Host,
  need: Need,
  advisory: NeededAdvisory,
  wallMs: number,
): string => {
  const wave = waveOfNeed(fleet, host.id, need.name);
  const { settings } = fleet;
  const rules = platformValue(settings.policies, host.platform) ?? [];
  const core = platformValue(settings.corePackages, host.platform) ?? new Set<string>();
  if (need.waiting.some((one) => isSame(one, advisory))) {
    const asked = decideNeed(rules, core, { ...need, target: null }, wallMs);
    return asked.kind === 'wait' ? asked.reason : '';
  }
  if (wave !== null) return `in wave ${wave}`;
  const decision = decideNeed(rules, core, need, wallMs);
  if (decision.kind === 'wait') return decision.reason;
  return host.tried.includes(`${need.name}=${need.target ?? ''}`)
    ? `a wave for ${need.target ?? ''} is over without it: groundswell upgrade ${host.id} ${need.name}`
    : 'a wave begins';
};
