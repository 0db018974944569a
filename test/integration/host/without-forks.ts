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
  } else ChildProcess.prototype.spawn = () => {
    throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM', syscall: 'spawn' });
  };
};
/** Whatever was to be done next has been. */
const next = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
`;

/**
 * Another user than root, who may yet read a checkout of root's. Not by setuid() in the program: Debian 13's
 * Node.js refuses that.
 */
const asNobody = [
  ...['--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'],
  // Else access(2), which Node.js asks before it reads, goes by the user alone.
  '--securebits=+no_setuid_fixup',
];

/** What such code prints, in a process group of its own: a signal to that does not reach the tests. */
export const runWithoutForks = async (code: string): Promise<string[]> => {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module'];
  const { stdout } = await execa('setpriv', [...asNobody, ...node, '--eval', `${prelude}${code}`], {
    env: { NODE_OPTIONS: '' },
    timeout: 20_000,
    detached: true,
    cleanup: true,
  });
  return stdout.split('\n');
};
