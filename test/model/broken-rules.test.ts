import { afterAll, describe, expect, test } from '@jest/globals';
import { brokenRules } from './breaks.ts';
import { loadBrokenCore, removeBrokenCores } from './broken-core.ts';
import { explore } from './explore.ts';
import { firstWorld } from './first-world.ts';
import { judgeFor } from './judge.ts';

afterAll(removeBrokenCores);

describe('each rule that is taken out of the real code is missed', () => {
  test.each(brokenRules.map((broken, index) => ({ ...broken, index })))(
    '$rule: $what',
    async ({ index, ...broken }) => {
      const core = await loadBrokenCore(`break-${index}`, broken);
      const { violation } = explore(core, firstWorld(core, broken.scenario), judgeFor(core));
      expect(broken.shownBy).toContain(violation?.rule);
    },
    120_000,
  );
});
