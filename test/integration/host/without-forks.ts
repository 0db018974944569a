import { execa } from 'execa';

/** How a fork fails: `EAGAIN` Node.js tells by an event of the child, `ENOMEM` it throws. */
export type NoFork = 'EAGAIN' | 'ENOMEM';

/**
 * `deny(how)`: no fork from now on; `allow()`: again, after ENOMEM alone. The limit on processes is the kernel's,
 * which binds others than root. Where memory ends is not for a test to find out, so there it throws what Node.js does.
 */
const prelude = `
import { ChildProcess, execFileSync } from 'node:child_process';
const { kill, spawn } = ChildProcess.prototype;
// It would signal whatever stands in memory that nobody has filled: mostly 0, our own process group.
ChildProcess.prototype.kill = function (signal) {
  if (this.pid !== undefined) return kill.call(this, signal);
  console.log('a child without a pid was signalled');
};
const allow = () => { ChildProcess.prototype.spawn = spawn; };
const deny = (how) => {
  if (how === 'EAGAIN') {
    execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1']);
    process.setgid(65534);
    process.setuid(65534);
  } else ChildProcess.prototype.spawn = () => {
    throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM', syscall: 'spawn' });
  };
};
/** Whatever was to be done next has been. */
const next = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
`;

/** What such code prints, in a process group of its own: a signal to that does not reach the tests. */
export const runWithoutForks = async (code: string): Promise<string[]> => {
  const { stdout } = await execa(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', `${prelude}${code}`],
    { env: { NODE_OPTIONS: '' }, timeout: 20_000, detached: true, cleanup: true },
  );
  return stdout.split('\n');
};
