import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { Configuration } from '../../src/config/schema.ts';
import { corePackagesOf, manifestDirectories } from '../../src/main/platforms.ts';

const rule = { mode: 'auto', core: true };

test('what is shipped counts for platforms that name no core packages; where a rule asks in vain, it is said', async () => {
  const directories = manifestDirectories('/nowhere/config.yaml');
  expect(directories).toEqual([
    '/nowhere/platforms',
    join(import.meta.dirname, '../../packaging/platforms'),
  ]);
  const config = Configuration.parse({
    platforms: {
      'debian-12': { policy: [rule] },
      'debian-13': { policy: [rule], corePackages: ['bash'] },
      'ubuntu-22.04': { policy: [{ mode: 'auto' }] },
      'ubuntu-24.04': { policy: [rule] },
    },
  });
  const said: string[] = [];
  const core = await corePackagesOf(config, directories, (text) => said.push(text));
  expect(Object.keys(core)).toEqual(['debian-12']);
  expect(core['debian-12']).toEqual(expect.arrayContaining(['libc6', 'libssl3', 'dpkg']));
  expect(said).toEqual([
    'platforms.ubuntu-24.04: a rule asks for core packages, and there is no manifest of this platform: groundswell platform show ubuntu-24.04 tells how to make one',
  ]);
});
