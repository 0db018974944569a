import type { HostId } from '../ids.ts';
import { refreshCause } from './advisories-cause.ts';
import { isCurrent } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { notMissing, verdictOn } from './entry-verdict.ts';
import type { WantedUpgrade, WaveUpgrade } from './fleet.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { packageKey } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** The same list for all hosts of a turn that are to get the same: there may be thousands of them. */
export const shared = (turn: Turn, packages: WantedUpgrade[]): readonly WantedUpgrade[] => {
  const key = JSON.stringify(packages);
  const known = turn.wanted.get(key);
  if (known !== undefined) return known;
  turn.wanted.set(key, packages);
  return packages;
};

const leaveWave = (turn: Turn, wave: AdvisoryWave, hostId: HostId, reason: string): void =>
  audit(turn, {
    action: 'wave-left',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { host: hostId, reason },
  });

/**
 * What a wave is to bring to a host that waits, as it is decided now: without what is missing no more, by hand or because the
 * advisory was taken back, and without what policy does not give by now; in a newer version where that took the place of one that
 * nobody has approved or got. Answers whether anything of it is another.
 */
const keepInStep = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  [hostId, upgrade]: [HostId, WaveUpgrade],
): boolean => {
  const host = turn.fleet.hosts.get(hostId);
  if (upgrade.state !== 'pending' || host === undefined || !isCurrent(host)) return false;
  const asked = { wave, host, upgrade, now: turn.now, wallMs: turn.wall.ms };
  const left: string[] = [];
  const kept = upgrade.packages.flatMap((entry): WantedUpgrade[] => {
    const verdict = verdictOn(decisions, { ...asked, entry });
    if (verdict.kind === 'leave') {
      left.push(verdict.reason);
      return [];
    }
    const key = packageKey(entry);
    const isDecided = verdict.kind === 'order' && wave.cause.proved[key] === undefined;
    const version = isDecided ? verdict.version : entry.version;
    const exploited = decisions.of(host).get(key)?.need.exploited === true;
    if (version === entry.version && exploited === entry.exploited) return [entry];
    return [{ ...entry, version, exploited }];
  });
  if (left.length === 0 && kept.every((one, at) => one === upgrade.packages[at])) return false;
  upgrade.packages = shared(turn, kept);
  if (left.length === 0) return true;
  const reason = left.find((one) => one !== notMissing);
  if (reason !== undefined) leaveWave(turn, wave, hostId, reason);
  if (kept.length === 0)
    Object.assign(upgrade, {
      state: reason === undefined ? 'done' : 'left-out',
      reason: reason ?? notMissing,
    });
  return true;
};

/** Keep a wave in step with what those of its hosts need that wait. */
export const reviewWave = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  told: ReadonlySet<HostId> | null,
): void => {
  let changed = false;
  /** Of which nothing was another, and so it is of hosts that are alike. */
  const inStep = new Map<WaveUpgrade['packages'], Set<string>>();
  for (const hostId of told ?? wave.upgrades.keys()) {
    const upgrade = wave.upgrades.get(hostId);
    const host = turn.fleet.hosts.get(hostId);
    if (upgrade?.state !== 'pending' || host === undefined) continue;
    changed ||= told !== null;
    const situation = decisions.situationOf(host);
    const { packages } = upgrade;
    const known = inStep.get(packages) ?? new Set<string>();
    if (known.has(situation)) continue;
    if (keepInStep(turn, decisions, wave, [hostId, upgrade])) {
      changed = true;
      touch(turn, { table: 'waves', key: wave.id });
    } else inStep.set(packages, known.add(situation));
  }
  if (changed) refreshCause(turn, decisions, wave);
};
