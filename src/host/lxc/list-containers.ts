import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { ContainerName } from '../../core/ids.ts';
import type { RuntimeContainer } from '../runtime.ts';
import { classifyRoot } from './classify-root.ts';
import { interpretConfig } from './interpret-config.ts';
import type { ConfigMeaning } from './interpret-config.ts';
import { lowerKindReader } from './lower-kind.ts';
import { configReader } from './read-config.ts';
import type { ConfigFiles } from './read-config.ts';

/** A container with what its configuration says beyond the runtime's common words. */
export interface LxcContainer extends RuntimeContainer {
  configPath: string;
  addresses: string[];
  /** Name in the container of its first network device. */
  firstInterface: string;
  /** Keys of LXC before 3 in its configuration. */
  oldKeys: string[];
}

export interface ListOptions {
  lxcPath: string;
  procRoot: string;
  /** The host's root, `/` but for tests. */
  lowerRoot: string;
  /** Configurations as they lie on disk; kept from one call to the next. */
  files: ConfigFiles;
}

/**
 * When its directory was made: a container that is destroyed and made anew has another one, and neither a start nor
 * a change of its configuration touches it. Inode numbers are given out again.
 */
const identityOf = (directory: string): { identity?: string } => {
  const birth = statSync(directory, { bigint: true, throwIfNoEntry: false })?.birthtimeNs ?? 0n;
  return birth > 0n ? { identity: String(birth) } : {};
};

const errorText = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const readContainer = (
  lxcPath: string,
  name: string,
  readConfig: ReturnType<typeof configReader>,
  lowerKindOf: ReturnType<typeof lowerKindReader>,
): LxcContainer | null => {
  const configPath = join(lxcPath, name, 'config');
  const identity = identityOf(join(lxcPath, name));
  let meaning: ConfigMeaning;
  try {
    meaning = interpretConfig(readConfig(configPath));
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    const noContainer = (code === 'ENOENT' && path === configPath) || code === 'ENOTDIR';
    if (noContainer) return null;
    return {
      name,
      configPath,
      ...identity,
      root: { kind: 'other', describe: `configuration cannot be read: ${errorText(error)}` },
      ...{ groups: [], address: null, addresses: [], firstInterface: 'eth0' },
      ...{ autostart: false, oldKeys: [] },
    };
  }
  return {
    name,
    configPath,
    ...identity,
    root: classifyRoot(meaning, lowerKindOf),
    groups: meaning.groups,
    address: meaning.addresses[0] ?? null,
    addresses: meaning.addresses,
    firstInterface: meaning.firstInterface,
    autostart: meaning.autostart,
    oldKeys: meaning.oldKeys,
  };
};

/** One container as `listContainers` has it, at the price of one; null: there is none of that name. */
export const findContainer = (
  { lxcPath, procRoot, lowerRoot, files }: ListOptions,
  name: ContainerName,
): LxcContainer | null =>
  readContainer(lxcPath, name, configReader(files), lowerKindReader(lowerRoot, procRoot));

const namesIn = (lxcPath: string): string[] => {
  try {
    return readdirSync(lxcPath);
  } catch (error) {
    // No directory: LXC is not installed here, or no container was ever made.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** So many at a time, before other work is let in. */
const SLICE = 50;

/**
 * Every container of `lxcPath`, by name: each directory with a `config` (`lxc-ls` also lists those
 * without, such as the one that holds the lower layer). A container whose configuration cannot be
 * read is listed as `other` with the reason. Throws when `lxcPath` exists and cannot be read.
 */
export const listContainers = async (options: ListOptions): Promise<LxcContainer[]> => {
  const readConfig = configReader(options.files);
  const lowerKindOf = lowerKindReader(options.lowerRoot, options.procRoot);
  const containers: LxcContainer[] = [];
  for (const [index, name] of namesIn(options.lxcPath).sort().entries()) {
    if (index % SLICE === SLICE - 1) await yieldToOthers();
    if (!ContainerName.safeParse(name).success) continue;
    const container = readContainer(options.lxcPath, name, readConfig, lowerKindOf);
    if (container !== null) containers.push(container);
  }
  return containers;
};
