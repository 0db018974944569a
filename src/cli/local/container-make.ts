import type { Command } from 'commander';
import type { ContainerName } from '../../core/ids.ts';
import { cloneContainer } from '../../host/lxc/provision/clone-container.ts';
import { createContainer } from '../../host/lxc/provision/create-container.ts';
import type { Ipv4Network } from '../../host/lxc/provision/ipv4-network.ts';
import { fstabLine } from '../../host/lxc/provision/lower-layer.ts';
import { ProvisionError } from '../../host/lxc/provision/provision-error.ts';
import type { Made, Provisioning } from '../../host/lxc/provision/provisioning.ts';
import { countOf, formatTable } from '../print.ts';
import { provision } from './container-dependencies.ts';
import type { ContainerDependencies } from './container-dependencies.ts';
import {
  readAddress,
  readCount,
  readName,
  readNetwork,
  readService,
  readSignal,
} from './container-options.ts';

/** Starts what was made; throws when some did not come up, naming them. */
const startAll = async ({ runtime }: Provisioning, made: Made): Promise<void> => {
  const down: string[] = [];
  for (const { name } of made.containers)
    if ((await runtime.start(name)).instance === null) down.push(name);
  if (down.length > 0)
    throw new ProvisionError(
      `made, but did not come up: ${down.join(', ')}. To see why: lxc-start -F -n ${down[0] ?? ''}`,
    );
};

const lowerLayerText = ({ lowerLayer: { path, outcome, persistent } }: Made): string[] =>
  outcome === 'present' || persistent
    ? []
    : [
        `Bind-mounted this host's root at ${path}. So that it is there after a reboot, add to /etc/fstab:\n  ${fstabLine(path)}`,
      ];

const madeText = (made: Made, started: boolean): string => {
  const rows = made.containers.map(({ name, address }) => [name, address]);
  const next = started
    ? []
    : [
        `Start ${rows.length === 1 ? 'it' : 'them'} with: lxc-start -n <name>  (or --start next time)`,
      ];
  return [
    formatTable(['name', 'address'], rows),
    '',
    `${countOf(rows.length, 'container')} made${started ? ' and started' : ''}.`,
    ...next,
    ...lowerLayerText(made),
  ].join('\n');
};

const finish = async (
  deps: ContainerDependencies,
  provisioning: Provisioning,
  made: Made,
  options: { json?: boolean; start?: boolean },
): Promise<void> => {
  const started = options.start ?? false;
  if (started) await startAll(provisioning, made);
  deps.write(
    `${options.json === true ? JSON.stringify(made, null, 2) : madeText(made, started)}\n`,
  );
};

/** `container create`. */
export const registerCreate = (container: Command, deps: ContainerDependencies): void => {
  container
    .command('create')
    .argument('<name>', 'such as web-01', readName)
    .description("make an OverlayFS container over this host's root")
    .requiredOption(
      '--init <command>',
      'what runs in it, such as "/usr/bin/tini -- /usr/sbin/nginx -g \'daemon off;\'"; /sbin/init runs what the host itself runs',
    )
    .option('--service <name>', 'the service that it belongs to (lxc.group)', readService)
    .option('--bridge <name>', 'bridge of the host that it is linked to', 'lxcbr0')
    .option(
      '--network <net>',
      "give out addresses of this part of the bridge's network",
      readNetwork,
    )
    .option('--address <address>', 'a certain address instead of the lowest free one', readAddress)
    .option(
      '--halt-signal <signal>',
      'asks its init to end (default: SIGTERM, systemd: its own)',
      readSignal,
    )
    .option('--no-autostart', 'do not start it when the host boots')
    .option('--start', 'start it now')
    .option('--json', 'print JSON')
    .action(
      async (
        name: ContainerName,
        options: {
          init: string;
          service?: string;
          bridge: string;
          network?: Ipv4Network;
          address?: number;
          haltSignal?: string;
          autostart: boolean;
          start?: boolean;
          json?: boolean;
        },
        command: Command,
      ) => {
        const provisioning = await provision(command, deps);
        const { init, bridge, autostart } = options;
        // LXC itself knows how to ask systemd.
        const usual = /^\/(sbin\/init|(usr\/)?lib\/systemd\/systemd)\b/.test(init)
          ? null
          : 'SIGTERM';
        const made = await createContainer(provisioning, {
          ...{ name, init, bridge, autostart },
          service: options.service ?? null,
          haltSignal: options.haltSignal ?? usual,
          pool: options.network ?? null,
          address: options.address ?? null,
        });
        await finish(deps, provisioning, made, options);
      },
    );
};

/** `container clone`. */
export const registerClone = (container: Command, deps: ContainerDependencies): void => {
  container
    .command('clone')
    .argument('<source>', 'an existing container', readName)
    .description('make more containers like one, each with name and address of its own')
    .option('--count <n>', 'how many', readCount, 1)
    .option('--name <name>', 'count names on from this one instead of the source', readName)
    .option(
      '--network <net>',
      "give out addresses of this part of the bridge's network",
      readNetwork,
    )
    .option('--fresh', "leave out the source's own files (its upper layer)")
    .option('--start', 'start them now')
    .option('--json', 'print JSON')
    .action(
      async (
        source: ContainerName,
        options: {
          count: number;
          name?: string;
          network?: Ipv4Network;
          fresh?: boolean;
          start?: boolean;
          json?: boolean;
        },
        command: Command,
      ) => {
        const provisioning = await provision(command, deps);
        const made = await cloneContainer(provisioning, {
          ...{ source, count: options.count },
          nameStem: options.name ?? null,
          pool: options.network ?? null,
          fresh: options.fresh ?? false,
        });
        await finish(deps, provisioning, made, options);
      },
    );
};
