import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Something besides Groundswell that restarts containers, services or the host around upgrades. */
export interface OtherRestarter {
  kind: 'needrestart' | 'apt-hook' | 'dpkg-hook' | 'dnf-hook' | 'automatic-reboot';
  path: string;
  /** From 1; 0: the whole file. */
  line: number;
  /** What it does. */
  what: string;
  remedy: string;
}

/** Commands that stop or start containers, or the unit that does it for all of them. */
const RESTARTS =
  /\blxc-(?:stop|start|autostart|restart|destroy)\b|\blxc (?:restart|stop)\b|\bsystemctl\s+(?:\S+\s+)*(?:re|try-re)?(?:start|stop)\s+(?:\S+\s+)*lxc|\bservice\s+lxc\S*\s+(?:re)?(?:start|stop)|\binvoke-rc\.d\s+lxc\S*\s+(?:re)?(?:start|stop)/;

/** apt ignores names with other characters and endings (apt.conf(5)). */
const APT_CONF = /^[\w-]+(?:\.conf)?$|^[\w.-]+\.conf$/;
const APT_COMMENT = /^\s*(?:\/\/|#(?!clear|include)).*$/;

const MAX_SCRIPT_BYTES = 256 * 1024;

export const readText = async (path: string): Promise<string | null> => {
  try {
    const { size } = await stat(path);
    return size > MAX_SCRIPT_BYTES ? null : await readFile(path, 'utf8');
  } catch {
    return null; // absent, or a directory: nothing there restarts anything
  }
};

/** The files of a drop-in directory that are read, in the order in which they are. */
export const dropIns = async (
  root: string,
  directory: string,
  pattern: RegExp,
): Promise<string[]> => {
  const names = await readdir(join(root, directory)).catch(() => []);
  return names
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(root, directory, name));
};

export const withoutComments = (text: string, comment: RegExp): string[] =>
  text
    .replace(/\/\*[^]*?\*\//g, (block) => block.replace(/[^\n]/g, ''))
    .split('\n')
    .map((line) => line.replace(comment, ''));

/** A command that restarts containers, or one whose script does. */
export const restartsContainers = async (root: string, command: string): Promise<string | null> => {
  const direct = RESTARTS.exec(command)?.[0];
  if (direct !== undefined) return `runs \`${direct}\``;
  for (const [path] of command.matchAll(/\/(?:[\w.+-]+\/)+[\w.+-]+/g)) {
    if (path.includes('/needrestart/') || path.includes('/groundswell/')) continue;
    const script = await readText(join(root, path));
    if (script?.startsWith('#!') !== true) continue;
    const inside = withoutComments(script, /(?:^|\s)#.*$/).find((line) => RESTARTS.test(line));
    if (inside !== undefined) return `runs ${path}, which does \`${inside.trim()}\``;
  }
  return null;
};

const aptAndDpkgHooks = async (root: string): Promise<OtherRestarter[]> => {
  const apt = [
    join(root, 'etc/apt/apt.conf'),
    ...(await dropIns(root, 'etc/apt/apt.conf.d', APT_CONF)),
  ].map((path) => ({ path, kind: 'apt-hook' as const, comment: APT_COMMENT }));
  const dpkg = [
    join(root, 'etc/dpkg/dpkg.cfg'),
    ...(await dropIns(root, 'etc/dpkg/dpkg.cfg.d', /^[\w-]+$/)),
  ].map((path) => ({ path, kind: 'dpkg-hook' as const, comment: /^\s*#.*$/ }));
  const found: OtherRestarter[] = [];
  for (const { path, kind, comment } of [...apt, ...dpkg]) {
    const lines = withoutComments((await readText(path)) ?? '', comment);
    for (const [index, text] of lines.entries()) {
      const what = await restartsContainers(root, text);
      if (what !== null)
        found.push({
          ...{ kind, path, line: index + 1 },
          what: `${what} in every package transaction, whatever the budgets say`,
          remedy: 'take that line out: Groundswell restarts what needs it',
        });
      if (/Unattended-Upgrade::Automatic-Reboot\s+"?(?:true|yes|1|on)\b/i.test(text))
        found.push({
          ...{ kind: 'automatic-reboot', path, line: index + 1 },
          what: 'unattended-upgrades reboots the host with all its containers',
          remedy: 'set Unattended-Upgrade::Automatic-Reboot "false"',
        });
    }
  }
  return found;
};

const MODES: Record<string, string> = {
  a: 'restarts services and containers by itself',
  i: 'restarts services and containers when somebody answers its questions',
};

/** Ubuntu's apt hook; with it needrestart restarts unless a user interface or, since 3.6-7ubuntu4.1, a mode is chosen. */
const ubuntuHook = async (root: string): Promise<{ path: string; line: number } | null> => {
  for (const path of await dropIns(root, 'etc/apt/apt.conf.d', APT_CONF)) {
    const lines = withoutComments((await readText(path)) ?? '', APT_COMMENT);
    const index = lines.findIndex((text) => /\/needrestart\/apt-pinvoke\s+-m\s*u\b/.test(text));
    if (index >= 0) return { path, line: index + 1 };
  }
  return null;
};

/** needrestart's effective settings: the last assignment wins, over its file and the drop-ins. */
export const needrestart = async (root: string): Promise<OtherRestarter[]> => {
  const program = await readText(join(root, 'usr/sbin/needrestart'));
  if (program === null) return [];
  const main = join(root, 'etc/needrestart/needrestart.conf');
  let mode = { value: 'i', path: main, line: 0 };
  let chosenInterface = false;
  let containers = true;
  for (const path of [main, ...(await dropIns(root, 'etc/needrestart/conf.d', /\.conf$/))]) {
    const lines = withoutComments((await readText(path)) ?? '', /^\s*#.*$/);
    for (const [index, text] of lines.entries()) {
      const value = /\$nrconf\{['"]?restart['"]?\}\s*=\s*['"]?([lia])/.exec(text)?.[1];
      if (value !== undefined) mode = { value, path, line: index + 1 };
      if (/\$nrconf\{['"]?ui['"]?\}\s*=/.test(text)) chosenInterface = true;
      if (/\$nrconf\{['"]?override_cont['"]?\}\s*=/.test(text))
        containers = !/qr\(\.\)\s*=>\s*0/.test(text);
    }
  }
  // Versions whose hook heeds a mode look whether there is one. Line 0: nobody has chosen any.
  const heeded = mode.line > 0 && /defined\s*\(?\s*\$nrconf\{restart\}/.test(program);
  const hook = chosenInterface || heeded || mode.value === 'a' ? null : await ubuntuHook(root);
  if (hook !== null) mode = { value: 'a', ...hook };
  if (mode.value === 'l' || (mode.value === 'i' && !containers)) return [];
  const does = MODES[mode.value] ?? 'restarts services and containers';
  return [
    {
      ...{ kind: 'needrestart', path: mode.path, line: mode.line },
      what: `needrestart ${containers ? does : does.replace(' and containers', '')}`,
      remedy: 'run `groundswell setup`, which installs /etc/needrestart/conf.d/zz-groundswell.conf',
    },
  ];
};

/**
 * Everything below the `root` of an apt host that would restart containers, or the host, in package transactions and
 * that Groundswell does not control: needrestart unless our drop-in rules
 * it, hooks of apt and dpkg that run LXC's tools or a script that does, automatic reboots.
 */
export const findAptRestarters = async (root: string): Promise<OtherRestarter[]> => [
  ...(await needrestart(root)),
  ...(await aptAndDpkgHooks(root)),
];
