import { errorText } from '../../../core/error-text.ts';
import type { ParkedStore } from '../../../host/lxc/provision/parked.ts';
import type { AgentHost } from '../agent-host.ts';

/** The notes of `groundswell container park`. What is wrong with them is told, and never keeps the host from being looked at. */
export const createParkedPort = (
  store: ParkedStore,
  onProblem: (text: string) => void,
): AgentHost['parked'] => {
  const list = async (): ReturnType<ParkedStore['list']> => {
    try {
      return await store.list();
    } catch (error) {
      return { notes: [], problems: [`notes on parked containers: ${errorText(error)}`] };
    }
  };
  return {
    notes: async () => {
      const { notes, problems } = await list();
      problems.forEach(onProblem);
      return new Map(notes.map((note) => [note.name, note]));
    },
    forget: async ({ name, atMs }) => {
      const present = (await list()).notes.find((note) => note.name === name);
      if (present?.atMs !== atMs) return;
      await store.remove(name).catch((error: unknown) => {
        onProblem(`the note on ${name}, which runs, cannot be removed: ${errorText(error)}`);
      });
    },
  };
};
