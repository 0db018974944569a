/** Runs in a bed host: the `container` commands alone, as `groundswell container …` has them. */
import { Command } from 'commander';
import { registerContainer } from '../../src/cli/local/container.ts';

const program = new Command('groundswell');
registerContainer(program, {
  actor: 'root@test',
  now: () => Date.now(),
  lxcPath: '/var/lib/lxc',
  optOutOf: () => null,
  // Not the usual place, which is hidden in any case.
  configured: () => ({
    privatePaths: ['/srv/groundswell'],
    parkedDirectory: '/srv/groundswell/parked',
  }),
  write: (text) => {
    process.stdout.write(text);
  },
});
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`groundswell: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
