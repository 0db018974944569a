import { beforeEach, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { registerInventory } from '../../../src/cli/local/inventory.ts';

const inventory = {
  platform: 'almalinux-9',
  packages: [{ name: 'bind', arch: 'x86_64', version: '32:9.16.23-11.el9' }],
};
let problem: string | null;
beforeEach(() => {
  problem = null;
});

const run = async (...argv: string[]): Promise<{ output: string; warnings: string }> => {
  const said = { output: '', warnings: '' };
  const program = new Command().exitOverride();
  registerInventory(program, {
    ...{ socketPath: '/nowhere', actor: 'a test', interactive: false },
    setExitCode: () => undefined,
    write: (text) => (said.output += text),
    warn: (text) => (said.warnings += text),
    read: () => Promise.resolve({ inventory, offers: [], problem }),
  });
  await program.parseAsync(['inventory', ...argv], { from: 'user' });
  return said;
};

test('what a host has is shown, as a table or as JSON', async () => {
  const { output, warnings } = await run();
  expect(output).toMatch(/^bind +x86_64 +32:9.16.23-11.el9 +bind/m);
  expect(warnings).toBe('');
  expect(JSON.parse((await run('--json')).output)).toEqual(inventory);
});

test('that its repositories cannot be read is a warning beside it, not part of the JSON', async () => {
  problem = 'dnf check-update: Cannot download repomd.xml';
  const { output, warnings } = await run('--json');
  expect(JSON.parse(output)).toEqual(inventory);
  expect(warnings).toBe(
    'its repositories cannot be read, so that nothing is offered: dnf check-update: Cannot download repomd.xml\n',
  );
});
