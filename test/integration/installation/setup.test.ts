import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { execa } from 'execa';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { InstallationDependencies } from '../../../src/cli/local/installation/carry-out.ts';
import { packagingReader } from '../../../src/cli/local/installation/desired.ts';
import { registerSetup } from '../../../src/cli/local/setup.ts';
import { registerUninstall } from '../../../src/cli/local/uninstall.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { runBounded } from '../../../src/host/run-bounded.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gw-setup-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Every path below `root` with kind, mode and content, so that two trees can be compared whole. */
const tree = async (directory = ''): Promise<Record<string, string>> => {
  const result: Record<string, string> = {};
  for (const name of await readdir(join(root, directory))) {
    const path = `${directory}/${name}`;
    const found = await lstat(join(root, path));
    const mode = (found.mode & 0o7777).toString(8);
    if (found.isDirectory()) Object.assign(result, { [path]: `dir ${mode}` }, await tree(path));
    else if (found.isFile())
      result[path] = `file ${mode} ${await readFile(join(root, path), 'utf8')}`;
    else result[path] = 'link';
  }
  return result;
};

interface Run {
  output: string;
  error: string | null;
}

const groundswell = async (
  argv: string[],
  more: Partial<InstallationDependencies> = {},
): Promise<Run> => {
  let output = '';
  const deps: InstallationDependencies = {
    readPackaging: packagingReader('packaging'),
    nodePath: '/usr/bin/node',
    binPath: '/opt/ground swell/bin/groundswell.js',
    dataDirectory: '/var/lib/groundswell',
    spoolDirectory: '/var/spool/groundswell',
    keyFiles: ['/var/lib/groundswell/agent/keys.json'],
    trustedKeysFile: '/var/lib/groundswell/agent/server-keys.json',
    makeKey: async (path) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, 'secret', { mode: 0o600 });
    },
    run: runBounded,
    placesAreKnown: () => undefined,
    isRoot: true,
    write: (text) => (output += text),
    confirm: null,
    ...more,
  };
  const program = new Command().exitOverride();
  registerSetup(program, deps);
  registerUninstall(program, deps);
  try {
    await program.parseAsync([...argv, '--root', root], { from: 'user' });
    return { output, error: null };
  } catch (error) {
    return { output, error: (error as Error).message };
  }
};

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};

/** A tree as a host has it; `/etc/group` only where groupadd(8) is tried, which leaves backups. */
const plainHost = async (): Promise<void> => {
  await put('/etc/apt/apt.conf.d/20other', 'DPkg::Post-Invoke { "true"; };\n');
  await put('/etc/dpkg/dpkg.cfg.d/other', 'force-unsafe-io\n');
  await mkdir(join(root, '/var/lib'), { recursive: true });
};

describe('setup and uninstall with --json', () => {
  const parsed = ({ output }: Run) =>
    JSON.parse(output) as {
      changes: { kind: string; path?: string }[];
      done: boolean;
      text: string;
    };
  const hook = expect.objectContaining({
    ...{ kind: 'write-file', path: '/usr/lib/groundswell/groundswell-hook' },
  }) as unknown;

  test('print the plan and what came of it as one object, and ask nobody', async () => {
    await plainHost();
    const before = await tree();
    const dry = parsed(await groundswell(['setup', '--dry-run', '--json']));
    expect(dry).toMatchObject({ done: false, text: 'Nothing was changed (--dry-run).' });
    expect(dry.changes).toContainEqual(hook);
    const asking = await groundswell(['setup', '--json'], { confirm: () => Promise.resolve(true) });
    expect(asking.error).toContain('say --yes');
    expect(await tree()).toEqual(before);

    const made = parsed(await groundswell(['setup', '--yes', '--json']));
    expect(made).toMatchObject({ done: true, changes: dry.changes });
    expect(parsed(await groundswell(['setup', '--json']))).toMatchObject({
      done: false,
      changes: [],
    });
    const gone = parsed(await groundswell(['uninstall', '--purge', '--yes', '--json']));
    expect(gone.done).toBe(true);
    expect(await tree()).toEqual(before);
  });

  test('print what is in the way, too', async () => {
    await plainHost();
    await put('/usr/lib/groundswell/groundswell-hook', 'somebody else’s');
    const refused = await groundswell(['setup', '--yes', '--json']);
    expect(refused.error).toBe('nothing was changed: 1 problem is in the way');
    expect(parsed(refused)).toMatchObject({
      ...{ done: false, problems: [expect.stringContaining('was not written by setup')] },
    });
  });
});

describe('setup', () => {
  test('and uninstall --purge leave the tree exactly as it was', async () => {
    await plainHost();
    const before = await tree();
    expect(await groundswell(['setup', '--yes'])).toMatchObject({ error: null });
    const installed = await tree();
    expect(installed['/usr/lib/groundswell/groundswell-hook']).toMatch(/^file 755 #!\/bin\/sh/);
    expect(installed['/etc/groundswell']).toBe('dir 700');
    expect(installed['/etc/groundswell/config.yaml']).toMatch(/^file 600 # Configuration/);
    expect(installed['/var/spool/groundswell']).toBe('dir 700');
    expect(installed['/var/lib/groundswell/agent/keys.json']).toBe('file 600 secret');
    expect(installed['/etc/systemd/system/groundswell.service']).toContain(
      'ExecStart="/usr/bin/node" "/opt/ground swell/bin/groundswell.js" up\n',
    );
    expect(Object.keys(installed).filter((path) => path.includes('.groundswell-setup'))).toEqual(
      [],
    );
    expect(await groundswell(['uninstall', '--yes', '--purge'])).toMatchObject({ error: null });
    expect(await tree()).toEqual(before);
  });

  test('on a dnf host: the hooks of dnf, and none of apt', async () => {
    await put('/etc/os-release', 'ID=fedora\n');
    const before = await tree();
    await groundswell(['setup', '--yes']);
    const paths = Object.keys(await tree());
    expect(paths).toContain('/etc/dnf/plugins/post-transaction-actions.d/groundswell.action');
    expect(paths).toContain('/etc/dnf/libdnf5-plugins/actions.d/groundswell.actions');
    expect(paths.filter((path) => /apt|dpkg/.test(path))).toEqual([]);
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(await tree()).toEqual(before);
  });

  test('in an empty tree too, parents included', async () => {
    await groundswell(['setup', '--yes']);
    expect(Object.keys(await tree()).length).toBeGreaterThan(20);
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(await tree()).toEqual({});
  });

  test('does nothing the second time, and shows what it would do without doing it', async () => {
    await plainHost();
    const before = await tree();
    const dry = await groundswell(['setup', '--dry-run']);
    expect(dry.output).toContain('write file      /etc/apt/apt.conf.d/50groundswell (0644)');
    expect(dry.output).toContain('make key        /var/lib/groundswell/agent/keys.json (0600)');
    expect(dry.output).toContain('systemd does not run here');
    expect(await tree()).toEqual(before);
    await groundswell(['setup', '--yes']);
    const installed = await tree();
    expect((await groundswell(['setup', '--yes'])).output).toMatch(
      /Everything is installed already/,
    );
    expect(await tree()).toEqual(installed);
  });

  test('asks, and takes no answer for a no', async () => {
    const before = await tree();
    expect((await groundswell(['setup'])).error).toMatch(/nobody is here to be asked; say --yes/);
    const no = await groundswell(['setup'], { confirm: () => Promise.resolve(false) });
    expect(no).toMatchObject({
      error: null,
      output: expect.stringMatching(/Nothing was changed.\n$/),
    });
    expect(await tree()).toEqual(before);
    const yes = await groundswell(['setup'], { confirm: () => Promise.resolve(true) });
    expect(yes.output).toMatch(/Done.\nNext: name your services/);
  });

  test('never overwrites configuration, and puts its mode right', async () => {
    await put('/etc/groundswell/config.yaml', 'agent: {zone: mine}\n');
    await chmod(join(root, '/etc/groundswell/config.yaml'), 0o644);
    expect((await groundswell(['setup', '--yes'])).output).toContain(
      'change mode     /etc/groundswell/config.yaml: 0644 to 0600',
    );
    expect((await tree())['/etc/groundswell/config.yaml']).toBe('file 600 agent: {zone: mine}\n');
  });

  test('a file of somebody else’s is not overwritten: nothing is done', async () => {
    await put('/etc/apt/apt.conf.d/50groundswell', 'mine\n');
    const before = await tree();
    const { output, error } = await groundswell(['setup', '--yes']);
    expect(output).toContain(
      'cannot go on: /etc/apt/apt.conf.d/50groundswell is there and was not',
    );
    expect(error).toMatch(/nothing was changed/);
    expect(await tree()).toEqual(before);
  });

  test('the command in the PATH runs this very program, whatever is in the paths', async () => {
    const bin = join(root, "it's here");
    await writeFile(bin, 'process.stdout.write(JSON.stringify(process.argv.slice(2)))');
    await groundswell(['setup', '--yes'], { nodePath: process.execPath, binPath: bin });
    const command = join(root, '/usr/local/bin/groundswell');
    const { output } = await runBounded([command, 'a b', '$HOME'], {
      ...{ timeoutMs: 10_000, env: {}, maxOutputBytes: 1_000 },
    });
    expect(output).toBe('["a b","$HOME"]');
  });

  test('a command of that name that somebody else put there stays, and the rest is done', async () => {
    await put('/usr/local/bin/groundswell', 'theirs\n');
    const { output, error } = await groundswell(['setup', '--yes']);
    expect(error).toBeNull();
    expect(output).toContain('note: /usr/local/bin/groundswell is there already');
    await groundswell(['uninstall', '--yes', '--purge']);
    expect((await tree())['/usr/local/bin/groundswell']).toMatch(/ theirs\n$/);
    await rm(join(root, '/usr/local/bin/groundswell'));
    await groundswell(['setup', '--yes']);
    await put('/usr/local/bin/groundswell', 'put there later\n');
    expect((await groundswell(['setup', '--yes'])).output).toContain('is there already');
    const last = await groundswell(['uninstall', '--yes', '--purge']);
    expect(last.output).toContain('note: /usr/local/bin/groundswell is not from setup any more');
    expect((await tree())['/usr/local/bin/groundswell']).toMatch(/ put there later\n$/);
  });

  test('a link that leads out of the tree is not followed', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'gw-outside-'));
    try {
      await symlink(outside, join(root, 'etc'));
      expect((await groundswell(['setup', '--yes'])).error).toMatch(/leads out of .* by a link/);
      expect(await readdir(outside)).toEqual([]);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  test('shows what changes in a file of its own', async () => {
    await groundswell(['setup', '--yes']);
    const { output } = await groundswell(['setup', '--yes'], { binPath: '/new/bin' });
    expect(output).toContain(
      '    - ExecStart="/usr/bin/node" "/opt/ground swell/bin/groundswell.js" up',
    );
    expect(output).toContain('    + ExecStart="/usr/bin/node" "/new/bin" up');
    expect(output.split('\n').filter((line) => line.startsWith('write file'))).toEqual([]);
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(await tree()).toEqual({});
  });

  test('that failed in the middle can be undone, and done again', async () => {
    const failing = { makeKey: () => Promise.reject(new Error('no entropy')) };
    expect((await groundswell(['setup', '--yes'], failing)).error).toBe('no entropy');
    expect((await groundswell(['setup', '--yes'])).error).toBeNull();
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(await tree()).toEqual({});
    await groundswell(['setup', '--yes'], failing);
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(await tree()).toEqual({});
  });

  test('the group is made with the tools of the system, and goes again', async () => {
    await put('/etc/group', 'root:x:0:\n');
    await put('/etc/gshadow', 'root:*::\n');
    // groupdel before 4.9 breaks down where there is none, as on no system.
    await put('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
    expect((await groundswell(['setup', '--yes'])).error).toBeNull();
    expect((await tree())['/etc/group']).toMatch(/\ngroundswell:x:\d+:\n$/);
    expect((await groundswell(['uninstall', '--yes'])).error).toBeNull();
    expect((await tree())['/etc/group']).toBe('file 644 root:x:0:\n');
  });

  test('what is installed is a configuration that loads', async () => {
    await groundswell(['setup', '--yes']);
    const file = join(root, '/etc/groundswell/config.yaml');
    expect(await loadConfig({ file, environment: {} })).toMatchObject({ ok: true });
  });
});

describe('uninstall', () => {
  test('keeps keys and configuration that was changed, and says so', async () => {
    await plainHost();
    await groundswell(['setup', '--yes']);
    await put('/etc/groundswell/config.yaml', 'agent: {zone: mine}\n');
    const { output } = await groundswell(['uninstall', '--yes']);
    expect(output).toContain('note: /etc/groundswell/config.yaml was changed and stays');
    expect(output).toContain(
      'note: /var/lib/groundswell stays: there is more in it (agent); --purge takes it away too.',
    );
    const left = Object.keys(await tree()).filter((path) => path.includes('groundswell'));
    expect(left.sort()).toEqual([
      '/etc/groundswell',
      '/etc/groundswell/config.yaml',
      '/var/lib/groundswell',
      '/var/lib/groundswell/agent',
      '/var/lib/groundswell/agent/keys.json',
    ]);
    expect((await groundswell(['uninstall', '--yes'])).output).toMatch(/Nothing is installed here/);
  });

  test('makes the directories that are configured, and tells the hook of its spool', async () => {
    const spool = "/srv/it's/spool";
    const more = { dataDirectory: '/srv/gs', spoolDirectory: spool, keyFiles: [] };
    expect((await groundswell(['setup', '--yes'], more)).error).toBeNull();
    const made = await tree();
    expect(made).toMatchObject({ '/srv/gs': 'dir 700', [spool]: 'dir 700' });
    expect(made).not.toHaveProperty(['/var/spool/groundswell']);
    const hook = join(root, '/usr/lib/groundswell/groundswell-hook');
    const script = `eval "$(grep ^usual_spool= '${hook}')"; printf %s "$usual_spool"`;
    expect((await execa('sh', ['-c', script])).stdout).toBe(spool);
    expect((await groundswell(['setup'], more)).output).toMatch(/Everything is installed already/);
    // As it was: what is configured otherwise later changes the hook.
    await groundswell(['setup', '--yes'], { keyFiles: [] });
    expect(await readFile(hook, 'utf8')).toBe(
      await packagingReader('packaging')('hooks/groundswell-hook'),
    );
    await groundswell(['uninstall', '--yes', '--purge']);
    expect(Object.keys(await tree()).filter((path) => /spool|groundswell/.test(path))).toEqual([]);
  });

  test('setup refuses to go by places that are not those of the configuration', async () => {
    const before = await tree();
    const { error } = await groundswell(['setup', '--yes'], {
      placesAreKnown: () => {
        throw new Error('mend it first');
      },
    });
    expect(error).toBe('mend it first');
    expect(await tree()).toEqual(before);
  });

  test('leaves a data directory that was there before to its owner', async () => {
    await put('/srv/theirs', 'x');
    const before = await tree();
    const more = { dataDirectory: '/srv', keyFiles: [] };
    await chmod(join(root, '/srv'), 0o700);
    await groundswell(['setup', '--yes'], more);
    await groundswell(['uninstall', '--yes', '--purge'], more);
    expect(await tree()).toEqual({ ...before, '/srv': 'dir 700' });
  });

  test('removes what calls the hook before the hook', async () => {
    await groundswell(['setup', '--yes']);
    const { output } = await groundswell(['uninstall', '--dry-run']);
    const at = (path: string): number => output.indexOf(`remove file     ${path}`);
    expect(at('/etc/apt/apt.conf.d/50groundswell')).toBeGreaterThan(-1);
    expect(at('/etc/apt/apt.conf.d/50groundswell')).toBeLessThan(at('/usr/lib/groundswell/'));
    expect(at('/etc/dpkg/dpkg.cfg.d/groundswell')).toBeLessThan(at('/usr/lib/groundswell/'));
  });
});
