import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { loadCore } from './core.ts';
import { explore } from './explore.ts';
import { firstWorld } from './first-world.ts';
import { judgeFor } from './judge.ts';
import { faults } from './world.ts';
import type { Scenario } from './world.ts';

const coreFolder = fileURLToPath(new URL('../../src/core', import.meta.url));

const twoContainers = (fault: (typeof faults)[number]): Scenario => ({
  name: fault,
  hosts: [{ boxes: 2 }],
  budget: 1,
  hostCap: 2,
  faults: { [fault]: 1 },
  ...(fault === 'upgrade' ? { ownUpgrade: true } : {}),
});

describe('every reachable state of two containers with budget 1, under each fault at any point', () => {
  test.each(faults)(
    '%s',
    async (fault) => {
      const core = await loadCore(coreFolder, '.ts');
      const found = explore(core, firstWorld(core, twoContainers(fault)), judgeFor(core));
      expect(found.violation).toBeNull();
      expect(found.ends).toBeGreaterThan(0);
    },
    120_000,
  );
});
