import { askVoid } from './grants.ts';
import { no, ok } from './operator-action.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

export const freeze = (
  turn: Turn,
  actor: string,
  { reason, until }: Extract<OperatorAction, { action: 'freeze' }>,
): Answer => {
  const { fleet } = turn;
  if (until !== null && until <= turn.wall.ms)
    return no(
      `this freeze would be over since ${new Date(until).toISOString()}: name a later end, or none`,
    );
  const id = turn.newId();
  fleet.freezes.set(id, { id, actor, reason, until });
  touch(turn, { table: 'freezes', key: id });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  for (const grant of fleet.grants.values()) askVoid(turn, grant, `freeze: ${reason}`);
  audit(turn, { action: 'frozen', subject: `freeze ${id}`, actor, details: { reason, until } });
  return ok(
    until === null
      ? `frozen; to lift it: groundswell unfreeze ${id}`
      : `frozen until ${new Date(until).toISOString()}; to lift it before: groundswell unfreeze ${id}`,
    id,
  );
};

export const unfreeze = (turn: Turn, actor: string, id: string): Answer => {
  const { fleet } = turn;
  const lifted = fleet.freezes.get(id);
  if (lifted === undefined) return no(`there is no freeze ${id}; see: groundswell status`);
  fleet.freezes.delete(id);
  touch(turn, { table: 'freezes', key: id });
  for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  audit(turn, { action: 'unfrozen', subject: `freeze ${id}`, actor });
  return ok(`the freeze is lifted: ${lifted.reason}`, id);
};
