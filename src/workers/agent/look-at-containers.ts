import type { AgentEvent } from '../../core/agent/agent.ts';
import type { Journal, KnownContainer } from '../../core/agent/journal.ts';
import type { ContainerName } from '../../core/ids.ts';
import { sameInstance } from '../../core/observation.ts';
import type { Instance } from '../../core/observation.ts';
import type { RuntimeState } from '../../host/runtime.ts';
import type { AgentHost, ParkedNote } from './agent-host.ts';
import { seenState } from './seen-state.ts';
import type { Work } from './work.ts';

/** Which containers something of ours was done with, and when: what was seen before that is out of date. */
export interface Touched {
  touch: (name: ContainerName) => void;
  /** Whether it was touched at or after `mono`. */
  since: (name: ContainerName, mono: number) => boolean;
}

export const createTouched = (monoMs: () => number): Touched => {
  const at = new Map<ContainerName, number>();
  return {
    touch: (name) => {
      at.set(name, monoMs());
    },
    since: (name, mono) => (at.get(name) ?? -Infinity) >= mono,
  };
};

const isNews = (
  journal: Journal,
  name: ContainerName,
  state: string,
  instance: Instance | null,
  identity: string | null,
): boolean => {
  const known = journal.containers.get(name);
  if (known === undefined || (identity !== null && identity !== known.identity)) return true;
  const isDownByOthers = known.ownerStopped || known.died;
  if (instance !== null)
    return isDownByOthers || known.traces === null || !sameInstance(known.instance, instance);
  return state === 'stopped' && !isDownByOthers && known.instance !== null;
};

/** R25: by what a container that is down is told from one that died. */
const tracesIn = (
  { tracesOf, isLeft }: AgentHost['runtime'],
  known: KnownContainer | undefined,
  name: ContainerName,
  instance: Instance | null,
): { traces?: string[]; left?: boolean } =>
  instance === null ? { left: isLeft(known?.traces ?? []) } : { traces: tracesOf(name, instance) };

/** A container that runs is not parked any more, so that its next stop is its owner's again. */
const parkedNote = async (
  { host }: Work,
  name: ContainerName,
  notes: ReadonlyMap<ContainerName, ParkedNote>,
  states: ReadonlyMap<ContainerName, RuntimeState>,
): Promise<{ reason: string; by: string } | null> => {
  const note = notes.get(name);
  if (note === undefined) return null;
  if (states.get(name)?.state !== 'running') return { reason: note.reason, by: note.by };
  await host.parked.forget(note);
  return null;
};

/**
 * List the containers and look at their states; core hears of each that changed (owners' stops, R25). What
 * our own work touched meanwhile is left out: it is seen the next time.
 */
export const lookAtContainers = async (
  work: Work,
  {
    journal,
    tell,
    touched,
  }: {
    journal: () => Journal;
    tell: (event: AgentEvent) => void;
    touched: Touched;
  },
): Promise<void> => {
  const { host, knowledge, clock } = work;
  const startedAt = clock.monoMs();
  const containers = await host.runtime.list();
  const names = containers.map(({ name }) => name);
  // Before the states: a note on a container that runs is older than its start.
  const parked = await host.parked.notes();
  const states = await host.runtime.states(names);
  const bootId = host.runtime.bootId();
  const surroundings = await Promise.all(
    containers.map(async (container) => ({
      optOut: host.settings.optOut(container, clock.wallMs()),
      parked: await parkedNote(work, container.name, parked, states),
      unhidden: await host.unhidden(container),
    })),
  );
  knowledge.setList(containers);
  containers.forEach(({ name, identity = null }, index) => {
    const around = surroundings[index];
    if (around !== undefined) knowledge.setSurroundings(name, around);
    if (touched.since(name, startedAt)) return;
    const now = states.get(name) ?? null;
    knowledge.setState(name, now);
    if (now === null) return;
    const state = seenState(now);
    if (state !== 'changing' && isNews(journal(), name, state, now.instance, identity))
      tell({
        ...{ kind: 'observed', name, state, instance: now.instance, identity, bootId },
        ...tracesIn(host.runtime, journal().containers.get(name), name, now.instance),
      });
  });
  const present = new Set(names);
  for (const name of journal().containers.keys())
    if (!present.has(name) && !touched.since(name, startedAt))
      tell({ kind: 'observed', name, state: 'gone', instance: null, identity: null, bootId });
};
