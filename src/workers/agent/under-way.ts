import type { Agent } from '../../core/agent/agent.ts';
import type { ContainerName } from '../../core/ids.ts';

export const isUpgrading = ({ journal }: Agent): boolean =>
  [...journal.upgrades.values()].some(({ step }) => step === 'running');

/** Something of the journal is not over, so the clock and the server's word matter. */
export const anythingOpen = ({ journal }: Agent): boolean =>
  !journal.settled ||
  [...journal.grants.values()].some(({ end }) => end === null) ||
  [...journal.upgrades.values()].some(({ step }) => step !== 'ended');

/** A container is down in the middle of its restart. */
export const anythingDown = ({ journal }: Agent): boolean =>
  [...journal.grants.values()].some(
    ({ end, step, failed }) =>
      end === null && !failed && (step === 'stopping' || step === 'stopped'),
  );

/** Its health says nothing of the packages: we restart it, or a person has parked it. */
export const isExempt = ({ journal, record }: Agent, name: ContainerName): boolean =>
  record?.value.parked.includes(name) === true ||
  [...journal.grants.values()].some(({ end, order }) => end === null && order.container === name);
