import { parentPort } from 'node:worker_threads';

import { reasonOf } from './error-code.ts';
import { scanContainer, scanHost, stillStale } from './scan-host.ts';
import { createScanMemory } from './scan-surroundings.ts';
import type { ScanAnswer, ScanRequest } from './scan-thread.ts';

const memory = createScanMemory();

const scan = (request: ScanRequest) => {
  switch (request.kind) {
    case 'host':
      return scanHost({ containers: request.containers, memory });
    case 'container':
      return scanContainer(request.name, { containers: request.containers, memory });
    case 'still-stale':
      return stillStale(request.earlier, request.container, { memory });
  }
};

const answerTo = async (id: number, request: ScanRequest): Promise<ScanAnswer> => {
  try {
    return { id, ok: true, scan: await scan(request) };
  } catch (error) {
    return { id, ok: false, error: `stale scan: ${reasonOf(error)}` };
  }
};

// One after another, also while one waits for what it reads beside: who reads the memory maps of a process that
// a read of its command line hangs in hangs with it, and only when that one is given up it is known.
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', ({ id, request }: { id: number; request: ScanRequest }) => {
  last = last.then(async () => {
    parentPort?.postMessage(await answerTo(id, request));
  });
});
