import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa, execaSync } from 'execa';
import { readSpool } from '../../../src/producers/packages/read-spool.ts';
import { needsRoot } from '../needs-root.ts';

const HOOK = resolve('packaging/hooks/groundswell-hook');
const payload = (name: string): string => resolve('test/fixtures/apt', name);

const works = (file: string, ...args: string[]): boolean =>
  execaSync(file, [...args, '-c', 'exit 0'], { reject: false }).exitCode === 0;
const SHELLS = [
  ['sh', []],
  ['dash', []],
  ['bash', ['--posix']],
  ['busybox', ['sh']],
].filter(([file, args]) => works(file as string, ...(args as string[]))) as [string, string[]][];

let directory: string;
let spool: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-hook-'));
  spool = join(directory, 'spool');
  await mkdir(spool, { mode: 0o700 });
});
const mounts: string[] = [];
afterEach(async () => {
  for (const path of mounts.splice(0)) await execa('umount', [path]);
  await rm(directory, { recursive: true, force: true });
});

interface Ran {
  exitCode: number | undefined;
  output: string;
}

const run = async (
  [file, args]: [string, string[]],
  hookArgs: string[],
  inputFile?: string,
  environment: Record<string, string> = {},
): Promise<Ran> => {
  const result = await execa(file, [...args, HOOK, ...hookArgs], {
    ...(inputFile === undefined ? { stdin: 'ignore' } : { inputFile }),
    env: environment,
    all: true,
    reject: false,
    timeout: 10_000,
  });
  return { exitCode: result.exitCode, output: result.all };
};
const SILENT: Ran = { exitCode: 0, output: '' };

needsRoot(describe).each(SHELLS)('in %s %j', (...shell) => {
  test('leaves one whole file per call, readable by root alone', async () => {
    const input = payload('pre-install-pkgs-v3.txt');
    expect(await run(shell, ['pre-install-pkgs', spool], input)).toEqual(SILENT);
    expect(await run(shell, ['post-invoke', spool])).toEqual(SILENT);
    expect(
      await run(shell, ['dpkg-post-invoke', spool], undefined, { DPKG_HOOK_ACTION: 'install' }),
    ).toEqual(SILENT);
    const names = (await readdir(spool)).sort();
    expect(names.map((name) => name.split('.')[0])).toEqual([
      'dpkg-post-invoke',
      'post-invoke',
      'pre-install-pkgs',
    ]);
    const [dpkg = '', post = '', pre = ''] = await Promise.all(
      names.map((name) => readFile(join(spool, name), 'utf8')),
    );
    expect(dpkg).toBe('groundswell-hook 1 dpkg-post-invoke install\n');
    expect(post).toBe('groundswell-hook 1 post-invoke \n');
    expect(pre.split('\n').slice(0, 5)).toEqual([
      'groundswell-hook 1 pre-install-pkgs ',
      'VERSION 3',
      'CommandLine::AsString=apt-get%20-y%20-o%20APT::Status-Fd=7%20install%20--only-upgrade%20openssl%20libssl3',
      '',
      'libssl3 3.0.20-1~deb12u2 amd64 same < 3.0.22-1~deb12u2 amd64 same /var/cache/apt/archives/libssl3_3.0.22-1~deb12u2_amd64.deb',
    ]);
    expect(pre).toContain(
      'openssl 3.0.20-1~deb12u2 amd64 foreign < 3.0.22-1~deb12u2 amd64 foreign **CONFIGURE**',
    );
    const { stdout } = await execa('stat', ['-c', '%a', ...names.map((name) => join(spool, name))]);
    expect(new Set(stdout.split('\n'))).toEqual(new Set(['600']));
  });

  test('a dry run is marked as one', async () => {
    await run(shell, ['pre-install-pkgs', spool], payload('pre-install-pkgs-v3-dry-run.txt'));
    const [name = ''] = await readdir(spool);
    expect(await readFile(join(spool, name), 'utf8')).toContain('\nDebug::pkgDPkgPM=1\n');
  });

  test('the call after a transaction of dnf', async () => {
    expect(await run(shell, ['post-transaction', spool])).toEqual(SILENT);
    const [name = ''] = await readdir(spool);
    expect(await readFile(join(spool, name), 'utf8')).toBe(
      'groundswell-hook 1 post-transaction \n',
    );
    // It is what the agent takes for a sign.
    expect(await readSpool({ directory: spool, owner: 0 })).toMatchObject({
      files: [{ path: join(spool, name) }],
      refused: [],
    });
  });

  test.each([
    ['no spool', async () => rm(spool, { recursive: true })],
    [
      'a link instead of the spool',
      async () => {
        await rm(spool, { recursive: true });
        await mkdir(join(directory, 'elsewhere'));
        await symlink(join(directory, 'elsewhere'), spool);
      },
    ],
    [
      'a read-only spool',
      async () => {
        await execa('mount', ['-t', 'tmpfs', '-o', 'size=16k,ro', 'none', spool]);
        mounts.push(spool);
      },
    ],
    [
      'no home for anything',
      async () => {
        await rm(spool, { recursive: true });
        await writeFile(spool, 'a file');
      },
    ],
  ])('%s: exit 0, silent, nothing written', async (_, prepare) => {
    await prepare();
    expect(await run(shell, ['post-invoke', spool])).toEqual(SILENT);
    expect(
      await run(shell, ['pre-install-pkgs', spool], payload('pre-install-pkgs-v3.txt')),
    ).toEqual(SILENT);
    expect(await readdir(join(directory, 'elsewhere')).catch(() => [])).toEqual([]);
  });

  test('a full spool: exit 0, and no half file is left', async () => {
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', spool]);
    mounts.push(spool);
    await writeFile(join(spool, 'filler'), 'x'.repeat(4096));
    const input = payload('pre-install-pkgs-v3.txt');
    expect(await run(shell, ['pre-install-pkgs', spool], input)).toEqual(SILENT);
    expect(await run(shell, ['post-invoke', spool])).toEqual(SILENT);
    expect(await readdir(spool)).toEqual(['filler']);
  });

  test('what apt writes is read to the end, whatever becomes of the spool', async () => {
    await rm(spool, { recursive: true });
    // More than a pipe holds: the writer gets EPIPE if nobody reads.
    const big = join(directory, 'big');
    await writeFile(
      big,
      `VERSION 3\n\n${'package 1 amd64 same < 2 amd64 same /x.deb\n'.repeat(20_000)}`,
    );
    const [file, args] = shell;
    const script = 'set -o pipefail; cat "$1" | { shift; "$@"; }';
    const result = await execa('bash', [
      '-c',
      script,
      'pipe',
      big,
      file,
      ...args,
      HOOK,
      'pre-install-pkgs',
      spool,
    ]);
    expect(result.exitCode).toBe(0);
  });

  test('other systems and too many files: nothing is written', async () => {
    expect(await run(shell, ['dpkg-post-invoke', spool], undefined, { DPKG_ROOT: '/mnt' })).toEqual(
      SILENT,
    );
    expect(await readdir(spool)).toEqual([]);
    for (let n = 0; n < 500; n += 1) await writeFile(join(spool, `f${n}`), '');
    expect(await run(shell, ['post-invoke', spool])).toEqual(SILENT);
    expect(await readdir(spool)).toHaveLength(500);
  });

  test.each([[[]], [['--help']], [['post-invoke; touch x']]])(
    'nonsense %j: exit 0',
    async (args) => {
      expect(await run(shell, args)).toEqual(SILENT);
    },
  );

  test('without any program in the PATH, and an environment of nonsense', async () => {
    const environment = { PATH: '', ENV: '/nonexistent', IFS: 'e', CDPATH: '/' };
    const { stdout } = await execa('which', [shell[0]]);
    const absolute: [string, string[]] = [stdout.trim(), shell[1]];
    expect((await run(absolute, ['post-invoke', spool], undefined, environment)).exitCode).toBe(0);
    expect(await readdir(spool)).toHaveLength(1);
  });
});

needsRoot(test)('in a chroot that has a shell and nothing else, not even /proc', async () => {
  const root = join(directory, 'root');
  const copy = async (path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await execa('cp', ['-L', path, join(root, path)]);
  };
  const { stdout } = await execa('ldd', ['/bin/dash']);
  for (const [path] of stdout.matchAll(/\/\S+/g)) await copy(path);
  await copy('/bin/dash');
  await mkdir(join(root, 'var/spool/groundswell'), { recursive: true });
  await execa('cp', [HOOK, join(root, 'hook')]);
  const inside = ['/bin/dash', '/hook'];
  for (const kind of ['post-invoke', 'pre-install-pkgs']) {
    const result = await execa('chroot', [root, ...inside, kind], {
      inputFile: payload('pre-install-pkgs-v3.txt'),
    });
    expect(result.exitCode).toBe(0);
  }
});
