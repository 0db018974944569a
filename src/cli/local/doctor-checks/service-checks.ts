import { lstat, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../../core/error-text.ts';
import { packageSystemOf } from '../../../host/packages/package-system.ts';
import { plainEnvironment } from '../../../host/run-bounded.ts';
import type { RunBounded } from '../../../host/run-bounded.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck, Finding } from '../doctor.ts';
import { commandPath, desiredEntries, units } from '../installation/desired.ts';
import type { DesiredOptions } from '../installation/desired.ts';

export interface ServiceCheckOptions {
  root: string;
  desired: DesiredOptions;
  run: RunBounded;
  /** Version of the server that answers on this machine's socket; rejects where none does. */
  askServer: () => Promise<string>;
}

const TIMEOUT_MS = 5_000;

/** Words that systemctl(1) answers, one for each unit; it exits with others than 0 for most of them. */
const askSystemd = async (run: RunBounded, verb: string): Promise<string[]> => {
  const options = { timeoutMs: TIMEOUT_MS, env: plainEnvironment, maxOutputBytes: 1_000 };
  const { output } = await run(['systemctl', verb, ...Object.values(units)], options);
  return output.trim().split('\n');
};

const unitFindings = async (run: RunBounded): Promise<Finding[]> => {
  const [active, enabled] = [
    await askSystemd(run, 'is-active'),
    await askSystemd(run, 'is-enabled'),
  ];
  const findings = Object.values(units).flatMap((unit, index) => {
    const [state = 'unknown', boot = 'unknown'] = [active[index], enabled[index]];
    if (state === 'active' || state === 'reloading')
      return [
        boot === 'enabled'
          ? ok(`${unit} runs, and starts at boot`)
          : warn(`${unit} runs, but does not start at boot`, `systemctl enable ${unit}`),
      ];
    return boot === 'enabled' || state === 'failed' || state === 'activating'
      ? [fail(`${unit} does not run: it is ${state}`, `journalctl -u ${unit} says why`)]
      : [];
  });
  return findings.length > 0
    ? findings
    : [warn('no unit of Groundswell runs', `systemctl enable --now ${units.up}`)];
};

/** Whether what should run does: the unit, and the server where this machine has one. */
const serviceCheck = ({ root, run, askServer }: ServiceCheckOptions): DoctorCheck => ({
  name: 'service',
  afterSetup: true,
  run: async () => {
    const systemd = await lstat(join(root, 'run/systemd/system')).catch(() => null);
    const findings = systemd === null ? [] : await unitFindings(run);
    const answer = await askServer().then(
      (version) => ok(`the server answers, version ${version}`),
      (error: unknown) => warn(errorText(error), 'nothing to do where only an agent runs'),
    );
    const agentOnly = findings.some(({ message }) => message.startsWith(`${units.agent} runs`));
    return agentOnly && answer.status !== 'ok' ? findings : [...findings, answer];
  },
});

/** Whether `groundswell` is in the PATH, and is this very program. */
const commandCheck = ({ root, desired }: ServiceCheckOptions): DoctorCheck => ({
  name: 'command',
  afterSetup: true,
  run: async () => {
    const path = join(root, commandPath);
    const found = await lstat(path).catch(() => null);
    if (found === null)
      return [
        warn(
          `${commandPath} is not there: nobody can just say groundswell`,
          'run `groundswell setup`',
        ),
      ];
    const wanted = (await desiredEntries(desired, packageSystemOf(root))).find(
      (entry) => entry.path === commandPath,
    );
    const same = found.isSymbolicLink()
      ? (await realpath(path).catch(() => null)) === (await realpath(desired.binPath))
      : wanted?.kind === 'file' && (await readFile(path, 'utf8')) === wanted.content;
    return [
      same
        ? ok(`${commandPath} is this program`)
        : warn(
            `${commandPath} is another program than this one`,
            'move it away, and run `groundswell setup`',
          ),
    ];
  },
});

/** That it runs and can be reached. */
export const serviceChecks = (options: ServiceCheckOptions): DoctorCheck[] => [
  serviceCheck(options),
  commandCheck(options),
];
