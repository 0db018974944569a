import type { Expect } from '../messages.ts';
import { diedText } from './availability.ts';
import type { Container } from './fleet.ts';

/** What the restart of a container is to begin with; null: it is on its way up or down, or down by somebody's doing. */
export const expectOf = ({ view: { died, instance } }: Container): Expect | null => {
  if (died) return { kind: 'died' };
  return instance === null ? null : { kind: 'instance', instance };
};

/** What a container is restarted for. */
export const causeOf = ({ view }: Container): string => {
  if (view.died) return diedText;
  const [stale] = view.stale;
  return stale === undefined
    ? 'asked for by hand'
    : `process ${stale.pid} (${stale.command}) maps ${stale.path} from before the upgrade`;
};
