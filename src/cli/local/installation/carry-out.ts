import type { RunBounded } from '../../../host/run-bounded.ts';
import { countOf } from '../../print.ts';
import { applyPlan } from './apply.ts';
import type { Plan } from './plan.ts';
import { showPlan } from './show-plan.ts';

/** What setup and uninstall are given by the wiring. */
export interface InstallationDependencies {
  /** Text of a file of `packaging/`, see `packagingReader`. */
  readPackaging: (name: string) => Promise<string>;
  /** Absolute paths of Node.js and of the program's entry, for the units. */
  nodePath: string;
  binPath: string;
  /** Throws where the configuration is wrong, so that these are not what it means. */
  placesAreKnown: () => void;
  dataDirectory: string;
  spoolDirectory: string;
  /** Keys that are made where they are not there yet, below the data directory. */
  keyFiles: readonly string[];
  /** Keys of the server that this machine's agent believes; there once it was told. */
  trustedKeysFile: string;
  /** Makes the key file at an absolute path, `--root` included. */
  makeKey: (path: string) => Promise<void>;
  run: RunBounded;
  isRoot: boolean;
  write: (text: string) => void;
  /** Asks a person; null where none is there to ask. */
  confirm: ((question: string) => Promise<boolean>) | null;
}

export interface CarryOutOptions {
  root: string;
  yes: boolean;
  dryRun: boolean;
  verbose: boolean;
  /** One JSON object instead of text; nobody is asked. */
  json: boolean;
  question: string;
  nothing: string;
  /** Said when all was done: what comes next. */
  done: string;
}

/** What `--json` prints: the plan, and what came of it. */
export interface CarriedOut extends Pick<Plan, 'changes' | 'notes' | 'problems'> {
  /** Whether the changes were made. */
  done: boolean;
  text: string;
}

/** Shows a plan, asks unless told not to, and carries it out. Throws where it must not be done. */
export const carryOut = async (
  plan: Plan,
  deps: InstallationDependencies,
  options: CarryOutOptions,
): Promise<void> => {
  const { changes, notes, problems } = plan;
  const say = (text: string, done: boolean): void => {
    const carried: CarriedOut = { changes, notes, problems, done, text };
    deps.write(options.json ? `${JSON.stringify(carried, null, 2)}\n` : `${text}\n`);
  };
  if (!options.json) deps.write(showPlan(plan, options.verbose));
  if (problems.length > 0) {
    const text = `nothing was changed: ${countOf(problems.length, 'problem is', 'problems are')} in the way`;
    if (options.json) say(text, false);
    throw new Error(text);
  }
  const refusal = await whyNot(plan, options.json ? { ...deps, confirm: null } : deps, options);
  if (refusal === null)
    await applyPlan(plan, { root: options.root, run: deps.run, makeKey: deps.makeKey });
  say(refusal ?? options.done, refusal === null);
};

/** Why nothing is done, as the user wanted it; null: go on. Throws where it cannot be done. */
const whyNot = async (
  plan: Plan,
  deps: InstallationDependencies,
  options: CarryOutOptions,
): Promise<string | null> => {
  if (plan.changes.length === 0) return options.nothing;
  if (options.dryRun) return 'Nothing was changed (--dry-run).';
  if (options.root === '/' && !deps.isRoot)
    throw new Error('this changes the system: run it again with sudo');
  if (options.yes) return null;
  if (deps.confirm === null)
    throw new Error('nothing was changed: nobody is here to be asked; say --yes to go on');
  return (await deps.confirm(options.question)) ? null : 'Nothing was changed.';
};

/** For groupadd(8) and groupdel(8) on another root than the running one. */
export const groupOptionsFor = (root: string): string[] => (root === '/' ? [] : ['--prefix', root]);
