import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerBackup } from '../../../src/cli/local/backup.ts';
import { createProgram, runProgram } from '../../../src/cli/program.ts';
import { backUp, restore, restoreLeftovers } from '../../../src/main/backup.ts';
import { serverKeys } from '../../../src/main/own-keys.ts';
import { lockFile } from '../../../src/store/open-sqlite.ts';
import { writeUnderWay } from '../../../src/store/backup/under-way.ts';
import { makeServerDirectory } from './server-directory.ts';
import { knownMigrations } from '../../../src/store/migrate.ts';

let root: string;
let config: string;
let server: string;
let backup: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-commands-'));
  config = join(root, 'config.yaml');
  server = join(root, 'data', 'server');
  backup = join(root, "ann's backup");
  await writeFile(config, `dataDirectory: ${join(root, 'data')}\n`);
  await makeServerDirectory(server, ['h1_1'], ['000001.jsonl.gz']);
});
afterEach(() => rm(root, { recursive: true }));

/** What the command line prints, to either side, and with which exit code. */
const type = async (...argv: string[]): Promise<string> => {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const deps = { socketPath: '', actor: 'ann@srv', write, interactive: false };
  const program = createProgram('0', { ...deps, setExitCode: () => undefined }, [
    (to) => {
      registerBackup(to, { ...deps, backUp, restore });
    },
  ]);
  const code = await runProgram(program, argv, write);
  return `${code} ${printed.trimEnd()}`;
};

test('backup and restore, in words', async () => {
  expect(await type('backup', backup, '--config', config)).toMatch(
    /^0 backed up to .*ann's backup: 3 files, \d+ kB, as of .*\nThe server's key is in it: .*\nNot in it: the configuration/,
  );
  expect(await type('backup', backup, '--config', config)).toMatch(/^1 groundswell: .* not empty/);
  const held = lockFile(join(server, 'lock'));
  expect(await type('restore', backup, '--config', config)).toMatch(
    /^1 groundswell: a server works in .*: stop it first/,
  );
  held?.release();
  const said = await type('restore', backup, '--config', config);
  expect(said).toMatch(
    /^0 restored .*ann's backup, of .*, to .*data\/server\nWhat was there is kept/,
  );
  expect(said).toMatch(/keys.json.before-restore-.*\n[^]*start the server[^]*groundswell resume$/);
  const { aside } = await restoreLeftovers({ dataDirectory: join(root, 'data') });
  // What SQLite had beside the store is there as long as somebody has it open.
  expect(aside.filter((path) => !/-(wal|shm)$/.test(path))).toHaveLength(3);
});

test('the same for programs', async () => {
  const made = JSON.parse(
    (await type('backup', backup, '-c', config, '--json')).slice(2),
  ) as object;
  expect(made).toMatchObject({
    ...{ directory: backup, missing: [] },
    manifest: { schema: knownMigrations.at(-1), generation: 1 },
  });
  const restored = JSON.parse(
    (await type('restore', backup, '-c', config, '--json')).slice(2),
  ) as object;
  expect(restored).toMatchObject({ directory: backup, serverDirectory: server, wentOn: false });
  const refused = await type('restore', join(root, 'b2'), '-c', config, '--json');
  expect(refused).toMatch(/^1 {"error":"there is no directory .*b2"}$/);
  expect(await type('restore', '--json')).toMatch(/^2 {"error":"missing required argument/);
});

test('what is wrong with the configuration is said before anything is done', async () => {
  await writeFile(config, 'dataDirectori: /x\n');
  for (const verb of ['backup', 'restore'])
    expect(await type(verb, backup, '--config', config)).toMatch(
      /^1 groundswell: the configuration is wrong:\n.*did you mean dataDirectory/,
    );
});

test('while a restore is broken off no key is made anew, and the command that goes on can be pasted', async () => {
  await mkdir(join(server, 'restoring'));
  await writeUnderWay(server, {
    ...{ format: 1, backup, madeAt: new Date().toISOString(), aside: [], staged: [] },
    suffix: '.before-restore-20261130T000000Z',
  });
  await rm(join(server, 'keys.json'));
  const pasted = `groundswell restore '${root}/ann'\\''s backup'`;
  await expect(serverKeys(config, { showKey: true })).rejects.toThrow(pasted);
  expect(await restoreLeftovers({ dataDirectory: join(root, 'data') })).toMatchObject({
    ...{ underWay: { remedy: pasted }, staging: null },
  });
});
