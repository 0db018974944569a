import type { Host, Wave, WaveUpgrade } from './fleet.ts';
import type { UpgradeFinished } from '../messages.ts';
import { packageKey, versionKey } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { tell } from './waves.ts';

/** A host is asked to fetch its repositories' indexes, and to report what they offer. */
export const askToRefresh = (turn: Turn, host: Host): void => {
  if (host.incarnation === null) return;
  const { now, fleet } = turn;
  host.refreshAskedAt = now;
  touch(turn, { table: 'hosts', key: host.id });
  const jobId = `${host.id}_${turn.newId()}`;
  // Answered by a whole observation; one that is lost is asked for again.
  if (host.observeJob !== null) turn.closes.push(host.observeJob);
  host.observeJob = jobId;
  turn.sends.push({
    ...{ host: host.id, jobId, incarnation: host.incarnation },
    ...{ expiresAt: now + fleet.settings.beginBeforeMs, kind: 'observe-host' },
    payload: { refresh: true },
  });
};

/** What a host has got by now its repositories have: what they lacked before counts no more. */
export const forgetRefusals = (turn: Turn, host: Host, { packages }: WaveUpgrade): void => {
  const got = new Set(packages.map((one) => versionKey(one, one.version)));
  host.refused = host.refused.filter(({ version }) => !got.has(version));
  touch(turn, { table: 'hosts', key: host.id });
};

/** So often a host is asked for versions that its repositories do not have, although it says that they offer them. */
const mostRefusals = 3;
/** Newer versions take the place of old ones. */
const mostKept = 500;

/**
 * A host of a wave of advisories does not have the versions that it was to get in its repositories. It waits until they offer
 * others, which are decided about anew, or have these again; where they were proved by the wave's first host, the wave says so
 * once, and its hosts that are offered others wait, or start over in another wave where policy wants that. Answers whether it
 * goes on at all.
 */
export const mirrorMoved = (
  turn: Turn,
  wave: Wave,
  host: Host,
  { reason, missing }: { reason: string; missing?: UpgradeFinished['missing'] },
): boolean => {
  const { fleet, now } = turn;
  const { cause } = wave;
  const upgrade = wave.upgrades.get(host.id);
  if (cause.kind !== 'advisories' || upgrade === undefined) return false;
  const named = new Set(missing?.map(packageKey));
  const some = upgrade.packages.filter((one) => named.has(packageKey(one)));
  const lacking = some.length === 0 ? upgrade.packages : some;
  const refused = lacking.map((one) => {
    const version = versionKey(one, one.version);
    const count = (host.refused.find((other) => other.version === version)?.count ?? 0) + 1;
    return { version, count, until: now + fleet.settings.refreshEveryMs * 2 ** (count - 1) };
  });
  if (refused.some(({ count }) => count > mostRefusals)) return false;
  const others = host.refused.filter(
    ({ version }) => !refused.some((one) => one.version === version),
  );
  host.refused = [...others, ...refused].slice(-mostKept);
  Object.assign(upgrade, { state: 'pending', reason });
  touch(turn, { table: 'waves', key: wave.id });
  // What it offers by now is not what it was known to offer.
  askToRefresh(turn, host);
  const keys = lacking.map(packageKey);
  const proved = keys.filter((key) => cause.proved[key] !== undefined);
  if (proved.length === 0) return true;
  cause.moved = [...new Set([...(cause.moved ?? []), ...proved])];
  const startsOver = cause.whenMirrorMoved === 'start-over';
  if (startsOver)
    audit(turn, {
      action: 'wave-started-over',
      subject: `wave ${wave.id}`,
      waveId: wave.id,
      details: { host: host.id, reason },
    });
  const text = startsOver
    ? `wave ${wave.id} starts over in another one: the mirror of ${host.id}: ${reason}`
    : `wave ${wave.id}: upgrade of ${host.id} waits: ${reason}`;
  tell(turn, wave, startsOver ? 'failed' : 'alert', text, 'mirror-moved');
  return true;
};
