import { expect, test } from '@jest/globals';
import type { StaleHostProcess } from '../../../src/core/observation.ts';
import { createKnowledge } from '../../../src/workers/agent/knowledge.ts';

const process = (pid: number, unit: string | null): StaleHostProcess => ({
  ...{ pid, command: 'x', unit },
  paths: Array.from({ length: 9 }, (_, at) => `/usr/lib/${at}`),
});

test('of the processes of a host that are told each unit is named, however many others come before it', async () => {
  const many = Array.from({ length: 2_000 }, (_, at) => process(at, 'postgresql.service'));
  const found = [...many, process(3_000, 'nginx.service'), process(3_001, null)];
  const knowledge = createKnowledge(
    {
      all: () => Promise.resolve({ containers: [], hostProcesses: found }),
      one: () => Promise.reject(new Error('not asked')),
      stillStale: () => Promise.reject(new Error('not asked')),
    },
    () => null,
  );
  await knowledge.scanAll([]);
  const told = knowledge.hostProcesses();
  expect(told.length).toBeLessThan(1_000);
  expect(new Set(told.map(({ unit }) => unit))).toEqual(
    new Set(['postgresql.service', 'nginx.service', null]),
  );
});
