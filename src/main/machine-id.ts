import { readFile } from 'node:fs/promises';

/** machine-id(5): a cloned disk that was given a new one is another machine. */
export const readMachineId = async (): Promise<string> =>
  (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim() || 'none';
