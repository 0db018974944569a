import type { Container, Fleet } from './fleet.ts';

/**
 * The decision of a person against a wave that a container waited in, as long as it stands: until a newer package
 * transaction. It keeps the container from being found stale anew, and from nothing else.
 */
export const standingDecision = (fleet: Fleet, container: Container): Container['decided'] => {
  const { decided } = container;
  const transactions = fleet.hosts.get(container.host)?.transactions ?? 0;
  return decided !== null && transactions <= decided.transactions ? decided : null;
};

/** The same in words, with what restarts it all the same; null: nothing was decided. */
export const decisionText = (fleet: Fleet, container: Container): string | null => {
  const decided = standingDecision(fleet, container);
  return decided === null
    ? null
    : `wave ${decided.waveId} was ${decided.how} by ${decided.by}: groundswell restart ${container.id}`;
};
