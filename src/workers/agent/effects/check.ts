import type { AgentEffect, CheckAnswers } from '../../../core/agent/agent.ts';
import type { AgentGrant } from '../../../core/agent/journal.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import { askStaleness, drains } from './ask-staleness.ts';
import { seenState } from '../seen-state.ts';
import { drainTargetOf, findContainer, settingsOf, targetOf } from '../work.ts';
import type { Work } from '../work.ts';

type Check = Extract<AgentEffect, { kind: 'check' }>;

/** What a check works with. */
type Checking = Pick<Work, 'host' | 'knowledge' | 'clock' | 'holdBack' | 'hearRecord'>;

const settingsHash = ({ host }: Checking, service: string): string => {
  const hashes = host.settings.hashes();
  return hashes[service] ?? hashes['*'] ?? '';
};

/** An error means deny: answers that can only lead to waiting, whatever the grant asks for. */
const unanswered = (grant: AgentGrant, reason: string): CheckAnswers => ({
  state: grant.order.expect.kind === 'died' ? 'stopped' : 'running',
  instance: grant.order.expect.kind === 'instance' ? grant.order.expect.instance : null,
  stale: 'stale',
  health: 'unknown',
  atRest: { ok: false, reason },
  settingsHash: grant.order.settingsHash,
  optOut: null,
});

const askHealth = async (
  work: Checking,
  { order }: AgentGrant,
): Promise<CheckAnswers['health']> => {
  if (!order.onlyIfBroken) return 'unknown';
  const target = await targetOf(work, order.container);
  return (await work.host.health.probe(target, settingsOf(work, order.service))).health;
};

const askOptOut = async (work: Checking, { order }: AgentGrant): Promise<string | null> => {
  const container = await findContainer(work, order.container);
  const groups = container?.groups ?? [];
  const optOut = work.host.settings.optOut({ name: order.container, groups }, work.clock.wallMs());
  if (optOut === null) return null;
  return optOut.until === null
    ? optOut.reason
    : `${optOut.reason} (until ${new Date(optOut.until).toISOString()})`;
};

/** R28: looked at before `draining` is journaled, so that what is found stands there with it. */
const askDrain = async (work: Checking, { grant, purpose }: Check): Promise<{ found?: string }> => {
  if (purpose !== 'begin' || !drains(work, grant)) return {};
  const { container, service } = grant.order;
  const target = await drainTargetOf(work, container);
  return { found: await work.host.drain.look(target, settingsOf(work, service)) };
};

const gather = async (work: Checking, check: Check): Promise<CheckAnswers> => {
  const { grant } = check;
  const held = work.holdBack();
  if (held !== null) return unanswered(grant, held);
  const [stale, health, optOut, found, unread] = await Promise.all([
    askStaleness(work, check),
    askHealth(work, grant),
    askOptOut(work, grant),
    askDrain(work, check),
    work.hearRecord(),
  ]);
  // R13: a record that cannot be read now permits nothing, however young the last one is.
  if (unread !== null) return unanswered(grant, unread);
  // The two that others may change at any moment come last (R21).
  const [atRest, now] = await Promise.all([
    work.host.packages.atRest(),
    work.host.runtime.state(grant.order.container),
  ]);
  return {
    state: seenState(now),
    instance: now.instance,
    stale,
    health,
    atRest,
    settingsHash: settingsHash(work, grant.order.service),
    optOut,
    ...found,
  };
};

/** R21: look at everything as late as can be, and answer in the tick in which the last answer came. */
export const check = async (
  work: Checking,
  effect: Check,
  life: Pick<Life, 'tell'>,
): Promise<void> => {
  const { grantId } = effect.grant.order;
  const answers = await gather(work, effect).catch((error: unknown) =>
    unanswered(effect.grant, `the check could not be made: ${errorText(error)}`),
  );
  life.tell({ kind: 'checked', grantId, answers });
};
