import { open } from 'node:fs/promises';
import type { Instance } from '../../core/observation.ts';
import { firstAddress } from './network-addresses.ts';
import { readProcessStat } from './process-stat.ts';

/** More than that has a container with thousands of routes of its own: not worth reading at each probe. */
const maxBytes = 512 * 1024;

/** A file of procfs up to its limit, which cuts it; null: it is not there. */
const readSome = async (path: string): Promise<string | null> => {
  const file = await open(path).catch(() => null);
  if (file === null) return null;
  try {
    const parts: Buffer[] = [];
    let size = 0;
    while (size < maxBytes) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(64 * 1024) });
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return Buffer.concat(parts).toString('latin1');
  } catch {
    return null;
  } finally {
    await file.close();
  }
};

/**
 * The address that a running container has in its network namespace now, however it came by it (DHCP, router
 * advertisements). As the kernel tells it: no file of the container is opened, and nothing is run in it.
 */
export const readAddress = async (
  procRoot: string,
  { initPid, startTime }: Instance,
  firstInterface: string,
): Promise<string | null> => {
  const [fibTrie, route, inet6] = await Promise.all(
    ['fib_trie', 'route', 'if_inet6'].map((name) => readSome(`${procRoot}/${initPid}/net/${name}`)),
  );
  // The pid may be another's by now.
  if (readProcessStat(procRoot, initPid)?.startTime !== startTime) return null;
  return firstAddress(
    { fibTrie: fibTrie ?? null, route: route ?? null, inet6: inet6 ?? null },
    firstInterface,
  );
};
