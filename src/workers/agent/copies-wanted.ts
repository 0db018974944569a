import type { Agent, AgentEvent } from '../../core/agent/agent.ts';
import type { JournalStore } from './journal-store.ts';

/** So many audit records are sent again at once; the next when these are acknowledged. */
const mostAtOnce = 100;

/**
 * R16: records of this life's audit chain that the server has acknowledged and does not have: its store was restored from a
 * backup. None while copies are on their way, as those are what it lacks; nor where the next of them is here no more, as
 * none of those that are would go on its chain.
 */
export const copiesWanted = (
  { journal, record }: Agent,
  store: Pick<JournalStore, 'chain'>,
): Extract<AgentEvent, { kind: 'copies-wanted' }>['copies'] => {
  const copied = record?.value.copied;
  if (copied === undefined || !journal.settled || record?.value.incarnation !== journal.incarnation)
    return [];
  for (const { kind } of journal.reports.values()) if (kind === 'audit-copied') return [];
  const copies = store.chain(journal.incarnation, { after: copied, limit: mostAtOnce });
  return copies[0]?.seq === copied + 1 ? copies : [];
};
