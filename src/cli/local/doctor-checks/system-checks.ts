import { readFile } from 'node:fs/promises';
import { plainEnvironment } from '../../../host/run-bounded.ts';
import type { RunBounded } from '../../../host/run-bounded.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck } from '../doctor.ts';

export interface SystemCheckOptions {
  isRoot: boolean;
  run: RunBounded;
  /** `/proc`. */
  procRoot: string;
}

const TOOLS = ['lxc-start', 'lxc-stop', 'lxc-attach', 'lxc-info'];
const TIMEOUT_MS = 5_000;

const rootCheck = (isRoot: boolean): DoctorCheck => ({
  name: 'root',
  run: () =>
    Promise.resolve([
      isRoot
        ? ok('running as root')
        : fail('not running as root: other checks see only part', 'run it again with sudo'),
    ]),
});

const lxcCheck = (run: RunBounded): DoctorCheck => ({
  name: 'lxc',
  run: async () => {
    const options = { timeoutMs: TIMEOUT_MS, env: plainEnvironment, maxOutputBytes: 1_000 };
    const results = await Promise.all(TOOLS.map((tool) => run([tool, '--version'], options)));
    const missing = TOOLS.filter((_, index) => results[index]?.exitCode !== 0);
    if (missing.length > 0)
      return [
        fail(
          `${missing.join(', ')} cannot be run`,
          'install LXC: apt-get install lxc, or dnf install lxc',
        ),
      ];
    const version = results[0]?.output.trim() ?? '';
    return [
      Number.parseInt(version, 10) >= 3
        ? ok(`LXC ${version}`)
        : warn(`LXC ${version} is older than 3, the oldest that is known to work`, 'upgrade LXC'),
    ];
  },
});

const overlayCheck = ({ run, procRoot }: SystemCheckOptions): DoctorCheck => ({
  name: 'overlay',
  run: async () => {
    const known = await readFile(`${procRoot}/filesystems`, 'utf8');
    if (/\toverlay$/m.test(known)) return [ok('the kernel has OverlayFS')];
    const options = { timeoutMs: TIMEOUT_MS, env: plainEnvironment, maxOutputBytes: 1_000 };
    const { exitCode } = await run(['modprobe', '--dry-run', 'overlay'], options);
    return [
      exitCode === 0
        ? ok('the kernel has OverlayFS as a module, loaded when the first container starts')
        : fail(
            'the kernel has no OverlayFS: containers on the host’s root cannot start',
            'boot a kernel with CONFIG_OVERLAY_FS, or load its module (modprobe overlay)',
          ),
    ];
  },
});

/** What the machine itself must have. */
export const systemChecks = (options: SystemCheckOptions): DoctorCheck[] => [
  rootCheck(options.isRoot),
  lxcCheck(options.run),
  overlayCheck(options),
];
