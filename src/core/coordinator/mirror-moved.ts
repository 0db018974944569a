import type { Host, Wave, WaveUpgrade } from './fleet.ts';
import type { UpgradeFinished } from '../messages.ts';
import { entriesOf, isAdvisoryWave } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { gotBy } from './proved.ts';
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
export const forgetRefusals = (turn: Turn, host: Host, wave: Wave, upgrade: WaveUpgrade): void => {
  const got = gotBy(wave, upgrade);
  host.refused = host.refused.filter(({ version }) => !got.has(version));
  touch(turn, { table: 'hosts', key: host.id });
};

/** So often a host is asked for versions that its repositories do not have, although it says that they offer them. */
const mostRefusals = 3;
/** Newer versions take the place of old ones. */
const mostKept = 500;

const keepRefused = (host: Host, refused: Host['refused']): void => {
  const others = host.refused.filter(
    ({ version }) => !refused.some((one) => one.version === version),
  );
  host.refused = [...others, ...refused].slice(-mostKept);
};

const countOf = (host: Host, version: string): number =>
  (host.refused.find((other) => other.version === version)?.count ?? 0) + 1;

/**
 * What came along on the first host of the wave, its repositories do not have in that version. Nobody says what they offer of
 * it, so they are asked now and then; where policy wants to start over, it is proved anew, canary first.
 */
const alongMoved = (
  turn: Turn,
  wave: AdvisoryWave,
  host: Host,
  { reason, keys }: { reason: string; keys: readonly string[] },
): void => {
  const { cause } = wave;
  const { along = {}, whenMirrorMoved } = cause;
  if (whenMirrorMoved === 'start-over') {
    cause.along = Object.fromEntries(Object.entries(along).filter(([key]) => !keys.includes(key)));
    Object.assign(wave, { stage: 'canary', goodCanaries: 0 });
    tellStartedOver(turn, wave, host, { reason, where: '' });
    return;
  }
  const refused = keys.map((key) => {
    const version = `${key}=${along[key] ?? ''}`;
    const count = Math.min(countOf(host, version), mostRefusals);
    const until = turn.now + turn.fleet.settings.refreshEveryMs * 2 ** (count - 1);
    return { version, count, until };
  });
  keepRefused(host, refused);
  touch(turn, { table: 'hosts', key: host.id });
  tellWaits(turn, wave, host, reason);
};

const tellWaits = (turn: Turn, wave: Wave, host: Host, reason: string): void => {
  const text = `wave ${wave.id}: upgrade of ${host.id} waits: ${reason}`;
  tell(turn, wave, 'alert', text, 'mirror-moved');
};

const tellStartedOver = (
  turn: Turn,
  wave: Wave,
  host: Host,
  { reason, where }: { reason: string; where: string },
): void => {
  audit(turn, {
    action: 'wave-started-over',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { host: host.id, reason },
  });
  const text = `wave ${wave.id} starts over${where}: the mirror of ${host.id}: ${reason}`;
  tell(turn, wave, 'failed', text, 'mirror-moved');
};

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
  const upgrade = wave.upgrades.get(host.id);
  if (!isAdvisoryWave(wave) || upgrade === undefined) return false;
  const { cause } = wave;
  const named = new Set(missing?.map(packageKey));
  const wanted = entriesOf(upgrade.packages);
  const along = [...named].filter((key) => !wanted.has(key) && cause.along?.[key] !== undefined);
  if (along.length > 0 && along.length === named.size) {
    Object.assign(upgrade, { state: 'pending', reason });
    touch(turn, { table: 'waves', key: wave.id });
    alongMoved(turn, wave, host, { reason, keys: along });
    return true;
  }
  const some = upgrade.packages.filter((one) => named.has(packageKey(one)));
  const lacking = some.length === 0 ? upgrade.packages : some;
  const refused = lacking.map((one) => {
    const version = versionKey(one, one.version);
    const count = countOf(host, version);
    return { version, count, until: now + fleet.settings.refreshEveryMs * 2 ** (count - 1) };
  });
  if (refused.some(({ count }) => count > mostRefusals)) return false;
  keepRefused(host, refused);
  Object.assign(upgrade, { state: 'pending', reason });
  touch(turn, { table: 'waves', key: wave.id });
  // What it offers by now is not what it was known to offer.
  askToRefresh(turn, host);
  const keys = lacking.map(packageKey);
  const proved = keys.filter((key) => cause.proved[key] !== undefined);
  if (proved.length === 0) return true;
  cause.moved = [...new Set([...(cause.moved ?? []), ...proved])];
  if (cause.whenMirrorMoved === 'start-over')
    tellStartedOver(turn, wave, host, { reason, where: ' in another one' });
  else tellWaits(turn, wave, host, reason);
  return true;
};
