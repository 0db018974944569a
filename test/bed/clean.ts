import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hostCgroups, removeHostCgroups, removePivotCgroups, thawHostCgroups } from './cgroups.ts';
import { bedCommands } from './command.ts';
import type { Commands } from './command.ts';
import { containerNet, linkNet } from './host-config.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { killAll, markedProcesses } from './processes.ts';

/** How LXC outside, and the link outside, call host `number`. */
export const lxcNameOf = (number: number): string => `gs${number}`;

export const partitionTable = (number: number): string => `gspart${number}`;

/** Ends a host and takes away what a running or a killed one leaves outside. */
const removeHost = async (commands: Commands, lxcPath: string, number: number): Promise<void> => {
  const name = lxcNameOf(number);
  await thawHostCgroups(name);
  // Exit 2 when it does not run; whatever survives is killed by its cgroup.
  await commands.run(['lxc-stop', '-P', lxcPath, '-n', name, '-k']);
  await removeHostCgroups(name);
  for (const argv of [
    ['ip', 'link', 'del', name],
    ['ip', 'route', 'del', 'blackhole', containerNet(number), 'metric', '1000'],
    ['ip', 'route', 'del', 'blackhole', linkNet(number), 'metric', '1000'],
    ['nft', 'delete', 'table', 'ip', partitionTable(number)],
  ])
    // Each fails when its object is not there, which is what is wanted.
    await commands.run(argv);
};

const LoopDevices = z.object({
  loopdevices: z.array(z.object({ name: z.string(), 'back-file': z.string().nullable() })),
});

const loopDevicesBelow = async (commands: Commands, directory: string): Promise<string[]> => {
  const text = await commands.must(['losetup', '--json', '--list', '--output', 'NAME,BACK-FILE']);
  // losetup prints nothing when there is no device.
  if (text.trim() === '') return [];
  return LoopDevices.parse(JSON.parse(text))
    .loopdevices.filter((device) => device['back-file']?.startsWith(`${directory}/`) === true)
    .map((device) => device.name);
};

/**
 * Takes away everything that a bed left, also after `kill -9` of its runner and of anything in it:
 * hosts, processes, cgroups, links, routes, mounts, loop devices, and its directory. Touches only
 * what belongs to this directory and these host numbers; doing it twice, even at once, is fine.
 */
export const cleanBed = async (
  directory: string,
  hostNumbers: readonly number[],
): Promise<void> => {
  const commands = bedCommands(directory);
  const lxcPath = join(directory, 'lxc');
  const known = (await readdir(lxcPath).catch(() => []))
    .map((name) => Number(/^gs(\d+)$/.exec(name)?.[1]))
    .filter((number) => !Number.isNaN(number));
  for (const number of new Set([...hostNumbers, ...known]))
    await removeHost(commands, lxcPath, number);
  await removePivotCgroups();
  await killAll(() => markedProcesses(directory), 10_000, `processes of the bed in ${directory}`);
  await unmountBelow(commands, directory);
  // Fails for a device that another clean-up of the same bed has freed meanwhile.
  for (const device of await loopDevicesBelow(commands, directory))
    await commands.run(['losetup', '-d', device]);
  await rm(directory, { recursive: true, force: true });
};

/** What is left of a bed, one line each; empty when it is clean. */
export const findLeftovers = async (
  directory: string,
  hostNumbers: readonly number[],
): Promise<string[]> => {
  const commands = bedCommands(directory);
  const routes = await commands.must(['ip', 'route', 'show']);
  const links = await readFile('/proc/net/dev', 'utf8');
  const ofHost = async (number: number): Promise<string[]> => [
    ...(await hostCgroups(lxcNameOf(number))).map((path) => `cgroup ${path}`),
    ...(new RegExp(`^\\s*${lxcNameOf(number)}:`, 'm').test(links)
      ? [`link ${lxcNameOf(number)}`]
      : []),
    ...routes
      .split('\n')
      .filter((line) => line.includes(linkNet(number)) || line.includes(containerNet(number)))
      .map((line) => `route ${line.trim()}`),
  ];
  return [
    ...(await Promise.all(hostNumbers.map(ofHost))).flat(),
    ...(await markedProcesses(directory)).map((pid) => `process ${pid}`),
    ...(await mountsBelow(directory)).map((path) => `mount ${path}`),
    ...(await loopDevicesBelow(commands, directory)).map((device) => `loop device ${device}`),
  ];
};
