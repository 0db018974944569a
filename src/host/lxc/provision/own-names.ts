import { chmod, lstat, readFile, rm, writeFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import { makeParents } from './place-opaque.ts';

const hostnamePath = 'etc/hostname';
const hostsPath = 'etc/hosts';
/** What is longer is no table of hosts that somebody uses. */
const longestTable = 1024 * 1024;

/** Of the line that names the machine itself, as Debian writes it: the name. */
const ownName = (line: string): string | null =>
  /^\s*127\.0\.1\.1(?:\s+([^\s#]*))?/.exec(line)?.[1] ?? null;

/**
 * A table of hosts, hosts(5), with a container's name, in the same domain, where it has the machine's own. Null:
 * nothing is to be changed.
 */
export const hostsOf = (text: string, name: ContainerName): string | null => {
  const lines = text.split('\n').map((line) => {
    const own = ownName(line);
    if (own === null) return line;
    const domain = /\..+/.exec(own)?.[0];
    return `127.0.1.1\t${domain === undefined ? name : `${name}${domain} ${name}`}`;
  });
  const changed = lines.join('\n');
  return changed === text ? null : changed;
};

/** What a new container has of its own, by path in its upper layer, so that it does not take the host's name for its own. */
export const ownNames = (name: ContainerName, hostsOfHost: string): ReadonlyMap<string, string> => {
  const hosts = hostsOf(hostsOfHost, name);
  return new Map([
    [hostnamePath, `${name}\n`],
    ...(hosts === null ? [] : [[hostsPath, hosts] as const]),
  ]);
};

/** The host's own table; empty where it has none. */
export const readHosts = (): Promise<string> => readFile('/etc/hosts', 'utf8').catch(() => '');

const statOrNull = (path: string): Promise<Stats | null> => lstat(path).catch(() => null);

/**
 * Gives a container its names in an upper layer that nobody mounts. The layer may be a copy of another
 * container's: its lines of the table of hosts are kept, and no link of its owner's is followed.
 */
export const writeOwnNames = async (
  upper: string,
  name: ContainerName,
  hostsOfHost: string,
): Promise<void> => {
  makeParents(upper, `/${hostnamePath}`);
  // Its owner has made something else of /etc.
  if ((await statOrNull(join(upper, 'etc')))?.isDirectory() !== true) return;
  const table = await statOrNull(join(upper, hostsPath));
  const isTable = table?.isFile() === true && table.size <= longestTable;
  const text = isTable ? await readFile(join(upper, hostsPath), 'utf8') : hostsOfHost;
  for (const [path, content] of ownNames(name, text)) {
    const there = await statOrNull(join(upper, path));
    if (there?.isDirectory() === true || (path === hostsPath && table !== null && !isTable))
      continue;
    await rm(join(upper, path), { force: true });
    await writeFile(join(upper, path), content, { flag: 'wx' });
    // Whatever the umask: all in the container read them.
    await chmod(join(upper, path), 0o644);
  }
};
