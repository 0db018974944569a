import { chmod, mkdir, open, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeResult, plainEnvironment } from '../../../host/run-bounded.ts';
import type { RunBounded } from '../../../host/run-bounded.ts';
import { manifestPath } from './desired.ts';
import { formatManifest } from './manifest.ts';
import type { Change, Plan } from './plan.ts';

export interface ApplyOptions {
  /** `/`, or the tree that is set up instead of the running system. */
  root: string;
  run: RunBounded;
  makeKey: (path: string) => Promise<void>;
}

const COMMAND_TIMEOUT_MS = 120_000;

/** Whole or not at all, and on disk: a hook that is half written would run in the next transaction. */
const writeWhole = async (path: string, content: string, mode: number): Promise<void> => {
  // apt, dpkg and needrestart ignore names that begin with a dot.
  const beside = join(dirname(path), `.groundswell-setup-${process.pid}`);
  try {
    const file = await open(beside, 'wx', mode);
    try {
      await file.writeFile(content);
      // Whatever the umask took away.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
};

const nearestExisting = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearestExisting(dirname(path));
  }
};

/** The path below `root`; throws where a link on the way leads out of it. */
const below = async (root: string, path: string): Promise<string> => {
  const full = join(root, path);
  if (root === '/') return full;
  const parent = await nearestExisting(dirname(full));
  const top = await realpath(root);
  if (parent !== top && !parent.startsWith(`${top}/`))
    throw new Error(`${path} leads out of ${root} by a link (to ${parent})`);
  return full;
};

const applyOne = async (change: Change, { root, run, makeKey }: ApplyOptions): Promise<void> => {
  if (change.kind === 'run') {
    const result = await run(change.argv, {
      timeoutMs: COMMAND_TIMEOUT_MS,
      env: plainEnvironment,
      maxOutputBytes: 4_096,
    });
    if (result.ended !== 'exited' || result.exitCode !== 0)
      throw new Error(
        `\`${change.argv.join(' ')}\`: ${describeResult(change.argv, result, COMMAND_TIMEOUT_MS)}`,
      );
    return;
  }
  const path = await below(root, change.path);
  switch (change.kind) {
    case 'make-directory':
      await mkdir(path, { mode: change.mode });
      return chmod(path, change.mode);
    case 'set-mode':
      return chmod(path, change.to);
    case 'write-file':
      return writeWhole(path, change.after, change.mode);
    case 'remove-file':
      return rm(path, { force: true });
    case 'remove-directory':
      return rmdir(path);
    case 'remove-tree':
      return rm(path, { recursive: true, force: true });
    case 'make-key':
      return makeKey(path);
  }
};

const storeManifest = async ({ manifest }: Plan, options: ApplyOptions): Promise<void> => {
  if (manifest === null) return;
  const path = await below(options.root, manifestPath);
  await writeWhole(path, formatManifest(manifest), 0o600);
};

/**
 * Carries a plan out, in its order. Throws at the first change that fails; running setup or uninstall
 * again goes on from there. The manifest is written as soon as it can be, before the rest, so that an
 * uninstall after a failure in the middle finds everything that was made; it is the last to go.
 */
export const applyPlan = async (plan: Plan, options: ApplyOptions): Promise<void> => {
  const manifest = join(options.root, manifestPath);
  for (const change of plan.changes) {
    if (plan.manifest === null && change.kind === 'remove-directory')
      if (change.path === dirname(manifestPath)) await rm(manifest, { force: true });
    await applyOne(change, options);
    if (change.kind === 'make-directory' && change.path === dirname(manifestPath))
      await storeManifest(plan, options);
  }
  if (plan.manifest === null) await rm(manifest, { force: true });
  else await storeManifest(plan, options);
};
