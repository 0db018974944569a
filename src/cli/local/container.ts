import type { Command } from 'commander';
import type { ContainerName } from '../../core/ids.ts';
import { hidePrivateDirectories } from '../../host/lxc/provision/hide-private.ts';
import { ProvisionError } from '../../host/lxc/provision/provision-error.ts';
import { removeContainer } from '../../host/lxc/provision/remove-container.ts';
import { provision } from './container-dependencies.ts';
import type { ContainerDependencies } from './container-dependencies.ts';
import { containerTable, readContainerRows } from './container-list.ts';
import { registerClone, registerCreate } from './container-make.ts';
import { readName, readSeconds } from './container-options.ts';

const registerPark = (container: Command, deps: ContainerDependencies): void => {
  container
    .command('park')
    .argument('<name>', 'a container that is down', readName)
    .description("take a stopped container out of its service's count: it is down on purpose")
    .option('--reason <text>', 'why, shown wherever it is shown', 'by hand')
    .option('--undo', 'count it again')
    .option('--json', 'print JSON')
    .action(
      async (
        name: ContainerName,
        options: { reason: string; undo?: boolean; json?: boolean },
        command: Command,
      ) => {
        const { runtime, parked: store } = await provision(command, deps);
        const say = (parked: boolean, text: string): void => {
          deps.write(`${options.json === true ? JSON.stringify({ name, parked }) : text}\n`);
        };
        if (options.undo === true) {
          if (!(await store.remove(name)))
            throw new ProvisionError(
              `there is no note on ${name} on this host; if its server took it out of the count: groundswell unpark <host>/${name}`,
            );
          return say(false, `${name} counts again.`);
        }
        const { state } = await runtime.state(name);
        if (state === 'gone')
          throw new ProvisionError(`there is no container ${name} on this host`);
        if (state !== 'stopped')
          throw new ProvisionError(
            `container ${name} is ${state}: only one that is down can be parked (lxc-stop -n ${name})`,
          );
        await store.put({ name, reason: options.reason, by: deps.actor, atMs: deps.now() });
        say(true, `${name} is parked. It counts again once it is started, or with --undo.`);
      },
    );
};

const registerRemove = (container: Command, deps: ContainerDependencies): void => {
  container
    .command('remove')
    .argument('<name>', "a container on the host's root", readName)
    .description('remove a container and its upper layer')
    .option('--force', 'stop it first if it runs')
    .option('--stop-timeout <seconds>', 'how long it may take to end by itself', readSeconds, 30)
    .option('--json', 'print JSON')
    .action(
      async (
        name: ContainerName,
        options: { force?: boolean; stopTimeout: number; json?: boolean },
        command: Command,
      ) => {
        const provisioning = await provision(command, deps);
        await removeContainer(provisioning, name, {
          force: options.force ?? false,
          stopTimeoutMs: options.stopTimeout * 1000,
        });
        await provisioning.parked.remove(name);
        const text =
          options.json === true ? JSON.stringify({ removed: name }) : `${name} is removed.`;
        deps.write(`${text}\n`);
      },
    );
};

const registerHide = (container: Command, deps: ContainerDependencies): void => {
  container
    .command('hide')
    .argument('<name>', 'a container that is down', readName)
    .description("hide the host's private directories from an older container")
    .option('--json', 'print JSON')
    .action(async (name: ContainerName, options: { json?: boolean }, command: Command) => {
      const places = await provision(command, deps);
      const found = (await places.runtime.list()).find((candidate) => candidate.name === name);
      if (found === undefined)
        throw new ProvisionError(`there is no container ${name} on this host`);
      const hidden = await hidePrivateDirectories(found, {
        ...{ places, state: places.runtime.state },
      });
      const said =
        hidden.length === 0
          ? `Nothing to hide in ${name}.`
          : `Hidden in ${name}: ${hidden.join(', ')}`;
      deps.write(`${options.json === true ? JSON.stringify({ name, hidden }) : said}\n`);
    });
};

/** `container create|clone|list|remove|park|hide`: local, no server is needed. */
export const registerContainer = (program: Command, deps: ContainerDependencies): void => {
  const container = program
    .command('container')
    .description("make and remove OverlayFS containers over this host's root")
    .option('--lxc-path <directory>', 'where LXC keeps its containers', deps.lxcPath);
  registerCreate(container, deps);
  registerClone(container, deps);
  container
    .command('list')
    .description('all containers of this host, and what is to be known of each')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const provisioning = await provision(command, deps);
      const rows = await readContainerRows(provisioning, provisioning.parked, deps.optOutOf);
      deps.write(
        `${options.json === true ? JSON.stringify(rows, null, 2) : containerTable(rows, provisioning.lxcPath)}\n`,
      );
    });
  registerRemove(container, deps);
  registerPark(container, deps);
  registerHide(container, deps);
};
