import { access } from 'node:fs/promises';

/** Whether something is at `path` that the caller may see. */
export const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
