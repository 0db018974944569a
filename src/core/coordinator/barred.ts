import type { Host } from './fleet.ts';

/** By which decision of an operator a host takes no part (R33); null: it does. */
export const barred = ({ state, revoked }: Host): 'excluded' | 'revoked' | null =>
  state === 'excluded' ? 'excluded' : revoked ? 'revoked' : null;

/** The same in words, with what ends it; null: it takes part. */
export const barredText = (host: Host): string | null => {
  switch (barred(host)) {
    case null:
      return null;
    case 'excluded':
      return `excluded: groundswell host add ${host.id}`;
    case 'revoked':
      return `revoked: groundswell host add ${host.id} --key <file>`;
  }
};
