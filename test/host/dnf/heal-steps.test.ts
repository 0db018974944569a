import { describe, expect, test } from '@jest/globals';
import { besides } from '../../../src/host/dnf/heal-steps.ts';
import { nameFailure } from '../../../src/host/dnf/name-failure.ts';
import { parseTransaction, wasOnlyAsked } from '../../../src/host/dnf/parse-transaction.ts';
import { recorded } from './recorded.ts';

const simulated = (name: string): ReturnType<typeof parseTransaction> => {
  const output = recorded(`dnf4-${name}.txt`);
  expect(wasOnlyAsked(output)).toBe(true);
  return parseTransaction(output);
};
const at = (name: string, version: string) => ({ name, arch: 'noarch', version });

describe('what a step would change beside what it is for', () => {
  test('nothing, where the older version goes alone, and the newest is installed again', () => {
    expect(besides(simulated('remove-older'), 'removes', [at('gs-torn', '1-1')])).toEqual([]);
    const newest = [at('gs-demo-data', '1.0-2.el9')];
    expect(besides(simulated('reinstall'), 'reinstalls', newest)).toEqual([]);
    const behind = [at('gs-other-tools', '2-1')];
    expect(besides(simulated('upgrade-beside-older'), 'upgrades', behind)).toEqual([]);
  });

  test('what needs the older version, another version, another kind of change', () => {
    const tools = { change: 'removes', row: at('gs-other-tools', '1-1') };
    const older = [at('gs-other', '1-1')];
    expect(besides(simulated('remove-older-needed'), 'removes', older)).toEqual([tools]);
    const wrong = besides(simulated('remove-older'), 'removes', [at('gs-torn', '2-1')]);
    expect(wrong).toEqual([{ change: 'removes', row: at('gs-torn', '1-1') }]);
    const again = at('gs-demo-data', '1.0-2.el9');
    expect(besides(simulated('reinstall'), 'removes', [again])).toEqual([
      { change: 'reinstalls', row: again },
    ]);
  });
});

test('a version that no repository has any more cannot be installed again', () => {
  expect(nameFailure(recorded('dnf4-reinstall-gone.txt'), 1)).toMatchObject({
    ...{ kind: 'unknown-version' },
    message: 'Installed package gs-gone-2-1.noarch (from bed) not available.',
  });
});
