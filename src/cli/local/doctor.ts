import type { Command } from 'commander';
import { configOption } from '../config-option.ts';
import { colours } from '../colours.ts';
import { errorText } from '../../core/error-text.ts';

/** What one look at the installation found. */
export interface Finding {
  status: 'ok' | 'warn' | 'fail';
  message: string;
  /** What to do about it; null where there is nothing to do. */
  remedy: string | null;
}

export interface DoctorCheck {
  name: string;
  /** Of what setup installs: before that it would only say once more that there is none. */
  afterSetup?: true;
  /** May throw: then the check itself failed, and that is the finding. */
  run: () => Promise<Finding[]>;
}

/** What there is to look at on this host, by one configuration. */
export interface Examination {
  checks: readonly DoctorCheck[];
  /** Whether `groundswell setup` has put anything on this host. */
  isSetUp: () => Promise<boolean>;
}

export interface DoctorDependencies {
  /** By the usual configuration, or by the file that a person named. */
  examination: (file: string | undefined) => Promise<Examination>;
  write: (text: string) => void;
  setExitCode: (code: number) => void;
  interactive: boolean;
}

export const ok = (message: string): Finding => ({ status: 'ok', message, remedy: null });
export const warn = (message: string, remedy: string): Finding => ({
  ...{ status: 'warn', message, remedy },
});
export const fail = (message: string, remedy: string): Finding => ({
  ...{ status: 'fail', message, remedy },
});

const LIMIT_MS = 15_000;

const within = async (run: () => Promise<Finding[]>): Promise<Finding[]> => {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    limit = setTimeout(() => {
      resolve([fail(`no answer within ${LIMIT_MS / 1_000} s`, 'look at what it waits for')]);
    }, LIMIT_MS);
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return [fail(`cannot be checked: ${errorText(error)}`, 'mend that and run doctor again')];
  } finally {
    clearTimeout(limit);
  }
};

/** All checks at once, each with a limit and a failure of its own; in their order. */
export const examine = async (
  checks: readonly DoctorCheck[],
): Promise<(Finding & { check: string })[]> => {
  const found = await Promise.all(
    checks.map(async ({ name, run }) =>
      (await within(run)).map((finding) => ({ check: name, ...finding })),
    ),
  );
  return found.flat();
};

/** Before anything is installed: that first, once, and then what else there is to know. */
const notSetUp: DoctorCheck = {
  name: 'setup',
  run: () =>
    Promise.resolve([
      fail(
        'Groundswell is not set up on this host',
        'sudo groundswell setup (shows each change, and asks; in a fleet: --as agent, or --as server)',
      ),
    ]),
};

const tones = { ok: colours.green, warn: colours.yellow, fail: colours.red };

const line = (
  { check, status, message, remedy }: Finding & { check: string },
  width: number,
  colours: boolean,
): string => {
  const mark = status.padEnd(4);
  const first = `${colours ? tones[status](mark) : mark}  ${check.padEnd(width)}  ${message}`;
  return remedy === null ? first : `${first}\n${' '.repeat(width + 8)}→ ${remedy}`;
};

/**
 * `groundswell doctor`: checks the installation and says how to mend it. Exit code 1 when something
 * fails; warnings alone give 0.
 */
export const registerDoctor = (program: Command, deps: DoctorDependencies): void => {
  program
    .command('doctor')
    .description('check the installation on this host, and say how to mend it')
    .option(...configOption)
    .option('--json', 'print JSON')
    .action(async ({ config, json = false }: { config?: string; json?: boolean }) => {
      const { checks, isSetUp } = await deps.examination(config);
      const wanted = (await isSetUp())
        ? checks
        : [notSetUp, ...checks.filter(({ afterSetup }) => afterSetup !== true)];
      const findings = await examine(wanted);
      const count = (which: Finding['status']): number =>
        findings.filter(({ status }) => status === which).length;
      if (count('fail') > 0) deps.setExitCode(1);
      if (json) return deps.write(`${JSON.stringify({ findings }, null, 2)}\n`);
      const width = Math.max(0, ...findings.map(({ check }) => check.length));
      for (const finding of findings) deps.write(`${line(finding, width, deps.interactive)}\n`);
      deps.write(`\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend\n`);
    });
};
