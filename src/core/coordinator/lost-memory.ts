import type { Host } from './fleet.ts';
import { endGrant } from './grants.ts';
import { journalLostText } from './standing-alerts.ts';
import { audit } from './turn.ts';
import type { Turn } from './turn.ts';
import { failUpgrade } from './waves.ts';

/** R15: a new life of the agent's journal: the grants of the old one are suspect and stand in the record. */
export const beginIncarnation = (turn: Turn, host: Host, incarnation: string): void => {
  const { fleet } = turn;
  if (host.incarnation !== null) {
    host.retired.push(host.incarnation);
    host.known = false;
    host.journalLostAt = turn.wall.ms;
    audit(turn, {
      action: 'host-incarnation',
      subject: host.id,
      details: { incarnation, retired: host.incarnation },
    });
    turn.notices.push({
      kind: 'alert',
      waveId: null,
      text: journalLostText(host.id),
    });
    for (const grant of [...fleet.grants.values()].filter((other) => other.host === host.id)) {
      if (grant.kind === 'upgrade') {
        endGrant(turn, grant, 'gone', 'the journal of the host was lost');
        failUpgrade(
          turn,
          fleet.waves.get(grant.waveId),
          host.id,
          'the journal of the host was lost',
        );
      } else if (!host.suspects.some(({ grantId }) => grantId === grant.id)) {
        const name =
          fleet.containers.get(grant.container ?? '')?.view.name ??
          grant.container?.split('/')[1] ??
          '';
        host.suspects.push({ grantId: grant.id, container: name, step: grant.step ?? 'journaled' });
      }
    }
  }
  // Of one that was removed and added again the store has what came before.
  host.copied = host.incarnation === null ? null : 0;
  host.incarnation = incarnation;
  host.ackedSeq = 0;
  host.transactions = 0;
  // By the count of the former life: its inventory comes anew.
  host.needs = null;
  for (const container of fleet.containers.values()) {
    if (container.host !== host.id) continue;
    if (container.attemptedAt !== null) container.attemptedAt = 0;
    if (container.decided !== null) container.decided.transactions = 0;
  }
};
