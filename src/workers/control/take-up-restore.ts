import { readRestoredMark } from '../../store/restored-mark.ts';
import type { Store } from '../../store/open-store.ts';
import type { Coordinator } from './coordinate.ts';

/**
 * R16: a store that says of itself that it is a backup which was put in place. Call it before anything else is decided, heard or
 * sent. The word is taken away in the transaction that holds what follows from it, so it is taken up once, whatever crashes.
 * Rejects where that could not be committed: nothing may begin then.
 */
export const takeUpRestore = async (
  { db }: Pick<Store, 'db'>,
  coordinator: Pick<Coordinator, 'submit'>,
): Promise<void> => {
  const mark = await readRestoredMark(db);
  if (mark !== null) await coordinator.submit({ kind: 'store-restored', ...mark });
};
