import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
} from 'node:fs/promises';
import { symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../bed/processes.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { needsRoot } from '../needs-root.ts';

/**
 * A checkout with little but the script, and a PATH of the small tools that it may count on beside a node, an npm and an
 * apt that only note what they are asked.
 */
let checkout: string;
let programs: string;

const TOOLS = [
  ...['sh', 'dirname', 'stat', 'find', 'head', 'cp', 'mv', 'touch', 'mkdir', 'cmp', 'cut', 'id'],
  ...['getent', 'setpriv', 'env', 'sleep', 'cat', 'uname'],
];

const program = async (name: string, script: string): Promise<void> => {
  await rm(join(programs, name), { force: true });
  await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};

const node = (version: string, compile = 'mkdir -p dist'): Promise<void> =>
  program(
    'node',
    `case $1 in
       -p) echo ${version} ;;
       */tsc) echo compile >> noted; ${compile} ;;
       *) echo "run $*" >> noted ;;
     esac`,
  );

const npm = (script: string): Promise<void> => program('npm', `echo "npm $1" >> noted; ${script}`);

const installs = 'mkdir -p node_modules && echo {} > node_modules/.package-lock.json';

const run = (job: string, ...more: string[]) =>
  execa('/bin/sh', [join(checkout, 'scripts/with-setup.sh'), job, ...more], {
    ...{ all: true, reject: false, extendEnv: false, env: { PATH: programs, HOME: '/root' } },
  });

/** What its programs were asked since the last time. */
const noted = async (): Promise<string[]> => {
  const path = join(checkout, 'noted');
  const text = await readFile(path, 'utf8').catch(() => '');
  await rm(path, { force: true });
  return text.split('\n').filter((line) => line !== '');
};

/** As an editor does: a file is newer than all that was made from it. */
const edited = async (name: string): Promise<void> => {
  const soon = new Date(Date.now() + 60_000);
  await utimes(join(checkout, name), soon, soon);
};

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'gs-setup-'));
  programs = await mkdtemp(join(tmpdir(), 'gs-setup-path-'));
  const found = await readdir('/usr/bin');
  for (const tool of TOOLS)
    await symlink(join(found.includes(tool) ? '/usr/bin' : '/bin', tool), join(programs, tool));
  for (const folder of ['scripts', 'src', 'quickstart', 'test/bed', 'test/e2e'])
    await mkdir(join(checkout, folder), { recursive: true });
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src/a.ts'])
    await writeFile(join(checkout, file), '{}');
  await copyFile('scripts/with-setup.sh', join(checkout, 'scripts/with-setup.sh'));
  await node('20.19.0');
  await npm(installs);
  await program('apt-get', '');
  await program('id', 'echo 0');
});

afterEach(async () => {
  await rm(checkout, { recursive: true });
  await rm(programs, { recursive: true });
});

describe('what is missing is said before anything is done', () => {
  test('no Node.js', async () => {
    await rm(join(programs, 'node'));
    const { all, exitCode } = await run('test');
    expect(exitCode).toBe(1);
    expect(all).toContain(`there is no node in ${programs}`);
    expect(all).toContain('https://nodejs.org');
    expect(await noted()).toEqual([]);
  });

  test.each(['18.20.4', '20.18.3', '21.7.3', '22.12.0', '23.11.0'])(
    'Node.js %s is too old',
    async (version) => {
      await node(version);
      const { all, exitCode } = await run('test');
      expect(exitCode).toBe(1);
      expect(all).toContain(`this is ${version} (${programs}/node)`);
      expect(await noted()).toEqual([]);
    },
  );

  test.each(['20.19.0', '22.13.0', '24.0.0', '26.1.0'])('Node.js %s will do', async (version) => {
    await node(version);
    expect((await run('test')).exitCode).toBe(0);
  });

  test.each([
    ['another system', 'uname', 'echo Darwin', 'it needs Linux; this is Darwin'],
    ['no root', 'id', 'echo 1000', '  sudo npm run quickstart'],
    ['no apt', 'apt-get', null, 'it needs Debian or Ubuntu'],
  ])('the quickstart with %s', async (_, name, script, text) => {
    if (script === null) await rm(join(programs, name));
    else await program(name, script);
    const { all, exitCode } = await run('quickstart');
    expect(exitCode).toBe(1);
    expect(all).toContain(text);
    expect(await noted()).toEqual([]);
    // The tests can do without: they say at their end what was not run.
    expect((await run('test')).exitCode).toBe(0);
  });
});

describe('each step is done when it is needed', () => {
  test('packages and compiling the first time, nothing the second; the words go to the job', async () => {
    const first = await run('quickstart', '--keep', 'a b');
    expect(first.all).toBe('Installing the npm packages of package-lock.json ...\nCompiling ...');
    expect(await noted()).toEqual(['npm ci', 'compile', 'run dist/quickstart/main.js --keep a b']);
    expect((await run('test')).all).toBe('');
    expect(await noted()).toEqual(['run dist/scripts/run-tests.js']);
  });

  test('a lock file that git has only touched installs nothing, another one does', async () => {
    await run('test');
    await noted();
    await edited('package-lock.json');
    await run('test');
    expect(await noted()).not.toContain('npm ci');
    await writeFile(join(checkout, 'package-lock.json'), '{"other": 1}');
    await edited('package-lock.json');
    await run('test');
    expect(await noted()).toContain('npm ci');
  });

  test.each(['src/a.ts', 'test/e2e', 'tsconfig.json'])(
    '%s has changed: it is compiled anew',
    async (name) => {
      await run('test');
      await noted();
      await edited(name);
      await run('test');
      expect(await noted()).toEqual(['compile', 'run dist/scripts/run-tests.js']);
    },
  );
});

describe('what fails says what to do, and the next run goes on from there', () => {
  test('npm', async () => {
    await npm('echo "npm error network" >&2; exit 1');
    const { all, exitCode } = await run('test');
    expect(exitCode).toBe(1);
    expect(all).toMatch(/npm error network[^]*npm could not install the packages[^]*proxy/);
    await npm(installs);
    await noted();
    expect((await run('test')).exitCode).toBe(0);
    expect(await noted()).toEqual(['npm ci', 'compile', 'run dist/scripts/run-tests.js']);
  });

  test('the compiler', async () => {
    await node('20.19.0', 'exit 2');
    const { all, exitCode } = await run('test');
    expect(exitCode).toBe(1);
    expect(all).toContain('The sources do not compile');
    await node('20.19.0');
    await noted();
    expect((await run('test')).exitCode).toBe(0);
    expect(await noted()).toEqual(['compile', 'run dist/scripts/run-tests.js']);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends what it waits for', async (signal, status) => {
    await npm('echo $$ > pid; exec sleep 1000');
    const running = run('test');
    const pid = await waitUntil(
      'npm is at work',
      async () => Number(await readFile(join(checkout, 'pid'), 'utf8').catch(() => '')) || null,
      { deadlineMs: 10_000 },
    );
    running.kill(signal);
    expect((await running).exitCode).toBe(status);
    expect(await isAlive(pid)).toBe(false);
  });
});

needsRoot(test)('under sudo all that it makes belongs to the owner of the checkout', async () => {
  const owner = 23_456;
  await chmod(programs, 0o755);
  // As a person's own home: nothing of it is root's.
  for (const entry of ['', ...(await readdir(checkout, { recursive: true }))])
    await chown(join(checkout, entry), owner, owner);
  const { exitCode, all } = await run('quickstart');
  expect({ exitCode, all }).toEqual({ exitCode: 0, all: expect.any(String) });
  for (const made of ['node_modules', 'node_modules/.installed-package-lock.json', 'dist'])
    expect((await lstat(join(checkout, made))).uid).toBe(owner);
  // The job itself is root's again.
  expect(await noted()).toContain('run dist/quickstart/main.js');
});
