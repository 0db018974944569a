import type { Need } from '../advisories/needs.ts';
import type { Host, Wave } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** A package of a host as proved versions, and what is wanted, are kept by. */
export const packageKey = ({ name, arch }: { name: string; arch?: string }): string =>
  `${name}:${arch ?? ''}`;

/** A package in a version. */
export const versionKey = (one: { name: string; arch?: string }, version: string | null): string =>
  `${packageKey(one)}=${version ?? ''}`;

const triedKey = (
  one: { name: string; arch?: string; exploited?: boolean },
  version: string,
): string => `${versionKey(one, version)}${one.exploited === true ? ' exploited' : ''}`;

/**
 * Whether a person has decided against this very version on this host, or it was tried to no avail. `before`: that was when
 * nobody knew that it is exploited, so it is to be decided anew, by a person.
 */
export const triedOn = ({ tried }: Host, need: Need): 'no' | 'before' | 'yes' => {
  const version = need.target ?? '';
  const isThere = (exploited: boolean): boolean =>
    tried.includes(triedKey({ ...need, exploited }, version));
  if (isThere(true)) return 'yes';
  if (!isThere(false)) return 'no';
  return need.exploited ? 'before' : 'yes';
};

/**
 * A wave is over: what a person decided against with it, and what it did to no avail, is not begun anew by itself. `decided`:
 * it was declined or stopped, which concerns also what it had not begun.
 */
export const rememberTried = (turn: Turn, wave: Wave, { decided }: { decided: boolean }): void => {
  if (wave.cause.kind !== 'advisories') return;
  for (const [hostId, { state, packages }] of wave.upgrades) {
    const host = turn.fleet.hosts.get(hostId);
    // One that was excluded is left out with its packages; a person's decision concerns these too.
    const isUntouched = state === 'left-out' || state === 'pending';
    if (host === undefined || packages.length === 0 || (isUntouched && !decided)) continue;
    const keys = packages.map((one) => triedKey(one, one.version ?? ''));
    host.tried = [...new Set([...host.tried, ...keys])];
    touch(turn, { table: 'hosts', key: hostId });
  }
};

/** What a host needs was told anew: of packages of which nothing is missing any more nothing is remembered. */
export const forgetTried = (turn: Turn, host: Host): void => {
  if (host.tried.length === 0) return;
  const needed = new Set(host.needs?.list.map(packageKey));
  const kept = host.tried.filter((key) => needed.has(key.slice(0, key.indexOf('='))));
  if (kept.length === host.tried.length) return;
  host.tried = kept;
  touch(turn, { table: 'hosts', key: host.id });
};
