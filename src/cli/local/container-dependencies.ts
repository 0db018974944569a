import type { Command } from 'commander';
import { createLxcRuntime } from '../../host/lxc/lxc-runtime.ts';
import { parkedDirectory } from '../../host/lxc/provision/parked.ts';
import type { ParkedStore } from '../../host/lxc/provision/parked.ts';
import { ProvisionError } from '../../host/lxc/provision/provision-error.ts';
import type { Provisioning } from '../../host/lxc/provision/provisioning.ts';
import type { CliDependencies } from '../remote.ts';
import type { OptOutOf } from './container-list.ts';
import { mustBeThere } from './lxc-path.ts';

/** What the container commands are given by the wiring. */
export type ContainerDependencies = Pick<CliDependencies, 'actor' | 'write'> & {
  now: () => number;
  /** Where LXC keeps its containers, unless --lxc-path names another place. */
  lxcPath: string;
  optOutOf: OptOutOf;
  /** What this host is configured to; throws where that cannot be known. */
  configured: () => {
    /** Directories and files of Groundswell's own. */
    privatePaths: readonly string[];
    /** Where notes on parked containers are kept. */
    parkedDirectory: string;
  };
};

/** Where a command works, by its own and the group's options. Fails unless it is run by root. */
export const provision = async (
  command: Command,
  deps: Pick<ContainerDependencies, 'configured'>,
): Promise<Provisioning & { parked: ParkedStore }> => {
  if (process.getuid?.() !== 0)
    throw new ProvisionError('containers belong to root: run it again with sudo');
  const { lxcPath } = command.optsWithGlobals<{ lxcPath: string }>();
  await mustBeThere(lxcPath);
  const { privatePaths, parkedDirectory: notes } = deps.configured();
  return {
    ...{ runtime: createLxcRuntime({ lxcPath }), lxcPath, own: privatePaths },
    parked: parkedDirectory(notes),
  };
};
