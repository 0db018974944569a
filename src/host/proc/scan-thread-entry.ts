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

parentPort?.on('message', ({ id, request }: { id: number; request: ScanRequest }) => {
  let answer: ScanAnswer;
  try {
    answer = { id, ok: true, scan: scan(request) };
  } catch (error) {
    answer = { id, ok: false, error: `stale scan: ${reasonOf(error)}` };
  }
  parentPort?.postMessage(answer);
});
