import type { Command } from 'commander';
import { fc } from '@fast-check/jest';
import { expect, test } from '@jest/globals';
import { registerAuditVerify } from '../../src/cli/local/audit-verify.ts';
import { registerBackup } from '../../src/cli/local/backup.ts';
import { registerConfigCheck } from '../../src/cli/local/config-check.ts';
import { registerContainer } from '../../src/cli/local/container.ts';
import { registerDoctor } from '../../src/cli/local/doctor.ts';
import { registerInventory } from '../../src/cli/local/inventory.ts';
import { registerMatch } from '../../src/cli/local/match/match.ts';
import { registerPlatform } from '../../src/cli/local/platform/platform.ts';
import { registerScan } from '../../src/cli/local/scan.ts';
import { registerSetup } from '../../src/cli/local/setup.ts';
import { registerUninstall } from '../../src/cli/local/uninstall.ts';
import { registerVersions } from '../../src/cli/local/versions.ts';
import { createProgram, exitCodes, runProgram } from '../../src/cli/program.ts';
import { FetchError } from '../../src/producers/advisories/fetch/fetch-error.ts';
import { advisorySources } from '../../src/producers/advisories/sources.ts';
import { isLong, mutatedBytes } from './mutations.ts';

/** Command lines, changed at random: always the same few, or many others (`npm run test:unit:long`). */
const runs = isLong ? { numRuns: 20_000 } : { numRuns: 400, seed: 4 };

/** Each command, with much of what it takes. */
const lines = [
  ...['status', 'hosts --json', 'services', 'containers', 'queues --socket /nowhere/s', 'waves'],
  ...['wave w1 --follow', 'plan --advisory DSA-5380-1', 'why h1/web-1', 'advisories --json'],
  ...['advisory DSA-5380-1', 'feeds', 'feeds poll debian', 'feeds accept debian', 'approve w1'],
  ...['approve w1 --shown f2', 'decline w1', 'stop w1', 'pause --service web --reason lunch'],
  ...['pause --wave w1', 'pause --queue h1', 'resume --host h1', 'retry h1/web-1', 'park h1/web-1'],
  ...['unpark h1/web-1', 'freeze holidays --until 7d', 'freeze now --until 2027-01-02T18:00Z'],
  ...['unfreeze', 'unfreeze f1', 'allow-outage w1 web', 'restart web', 'upgrade h1,h2 --json'],
  ...['upgrade h1 libssl3=3.0.17-1 NetworkManager>=1:1.40 --allow-remove'],
  ...['upgrade h1 --advisory DSA-5380-1', 'host enrol h1 --key /nowhere/key.json --zone rack-1'],
  ...['host add h1 --cap 3', 'host exclude h1 --fenced --reason off', 'host revoke h1'],
  ...['host remove h1', 'host rotate-key h1 --key /nowhere/key.json', 'help container create'],
  ...['audit list --since 2h --until 2026-12-24 --limit 10 --wave w1 --container web-1 -f'],
  ...[
    'audit export /nowhere/trail.gz',
    'audit keys',
    'audit verify /nowhere/trail --key /nowhere/k',
  ],
  ...['audit verify trail --key k --anchors a --partial --under-way 5', 'scan --json -v'],
  ...['container list', 'container create web-1 --init /sbin/init --address 10.0.3.17 --start'],
  ...['container create a --init i --network 10.0.3.0/24 --halt-signal SIGTERM --service web'],
  ...['container clone web-1 --count 3 --name b --fresh', 'container remove web-1 --force'],
  ...[
    'container park web-1 --undo',
    'container hide web-1',
    'config check --config /nowhere/c.yaml',
  ],
  ...['backup /nowhere/b', 'restore /nowhere/b --config c', 'doctor', 'setup --as agent --dry-run'],
  ...['uninstall --purge', 'versions deb', 'inventory --host h1', 'platform show debian-12'],
  ...['platform diff --host h1 -v', 'platform make', '--version', '--help'],
  ...['match --platform debian-12 --inventory /nowhere/status --feed osv=/nowhere --channel epel'],
].map((line) => line.split(' '));

/** What changes this host, or reads all of it: how its words are read is tried here, and no more than that. */
const notCarriedOut: readonly string[] = [
  ...['scan', 'container', 'backup', 'restore', 'doctor', 'setup', 'uninstall', 'platform'],
];

const everyCommand = function* (command: Command): Generator<Command> {
  yield command;
  for (const below of command.commands) yield* everyCommand(below);
};

const refused = (): never => {
  throw new Error('it was carried out');
};

interface Said {
  out: string;
  error: string;
}

const programFor = (said: Said): Command => {
  const write = (text: string): void => void (said.out += text);
  const deps = {
    ...{ socketPath: '/nowhere/server.sock', actor: 'ann', interactive: false, write },
    setExitCode: () => undefined,
  };
  const installation = {
    ...{ placesAreKnown: refused, readPackaging: refused, nodePath: '', binPath: '', keyFiles: [] },
    ...{ dataDirectory: '', spoolDirectory: '', trustedKeysFile: '', makeKey: refused },
    ...{ run: refused, isRoot: false, write, confirm: null },
  };
  const program = createProgram('1.2.3', deps, [
    (all) => {
      registerScan(all, '/nowhere', undefined);
      registerContainer(all, {
        ...{ ...deps, now: Date.now, lxcPath: '/nowhere', optOutOf: refused, configured: refused },
      });
      registerConfigCheck(all, { ...deps, environment: {} });
      registerMatch(all, {
        ...{ sources: () => advisorySources(), write, warn: write },
        open: async function* () {
          // There is nothing in it.
        },
        fetch: (_, { url }) => Promise.reject(new FetchError(url, 'it is not there')),
      });
      const inventory = { platform: 'debian-12', packages: [] };
      registerInventory(all, {
        ...{ ...deps, warn: write },
        read: () => Promise.resolve({ inventory, offers: [], problem: null }),
      });
      registerPlatform(all, {
        ...{ ...deps, directories: ['/nowhere'], readPlatform: refused, readInventory: refused },
        ...{ readCore: refused, now: Date.now },
      });
      registerBackup(all, { ...deps, backUp: refused, restore: refused });
      registerAuditVerify(all, { ...deps, importKey: refused });
      registerVersions(all, {
        input: async function* () {
          yield Promise.resolve('1\t2\n');
        },
        write: (text) => {
          write(text);
          return Promise.resolve();
        },
      });
      registerSetup(all, installation);
      registerUninstall(all, installation);
      registerDoctor(all, { ...deps, examination: refused });
    },
  ]);
  for (const command of program.commands.filter((one) => notCarriedOut.includes(one.name())))
    for (const below of everyCommand(command))
      if (below.commands.length === 0) below.action(() => undefined);
  return program;
};

const type = async (words: readonly string[]): Promise<Said & { code: number }> => {
  const said = { out: '', error: '' };
  const program = programFor(said);
  for (const command of everyCommand(program))
    command.configureOutput({
      writeOut: (text) => void (said.out += text),
      writeErr: (text) => void (said.error += text),
    });
  const code = await runProgram(program, words, (text) => (said.error += text));
  return { code, ...said };
};

const pathsOf = (command: Command, path: readonly string[] = []): string[] =>
  command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((below) => pathsOf(below, [...path, below.name()]));

const expectAnswered = async (words: readonly string[]): Promise<void> => {
  const { code, error } = await type(words);
  expect(Object.values(exitCodes)).toContain(code);
  // No stack, and nothing that only we understand.
  expect(error).not.toMatch(
    /\n\s+at \S.*:\d+:\d+|TypeError|\[object |undefined|outputHelp|it was carried out/,
  );
  if (code === exitCodes.ok) expect(error).toBe('');
  else if (words.includes('--json') && !words.slice(0, words.indexOf('--json')).includes('--'))
    expect(JSON.parse(error)).toEqual({ error: expect.stringMatching(/./) });
  else if (code === exitCodes.usage)
    // What is wrong, and where to read how it is right.
    expect(error).toMatch(/^error: [^]+\(more: groundswell[^]* --help\)\n|^Usage: groundswell/);
  else expect(error).toMatch(/^groundswell: ./);
};

test('every command is among them, and is answered as it is', async () => {
  const asked = lines.map((words) => words.join(' '));
  const missing = pathsOf(programFor({ out: '', error: '' })).filter(
    (path) => !asked.some((line) => line === path || line.startsWith(`${path} `)),
  );
  expect(missing).toEqual([]);
  for (const words of lines) await expectAnswered(words);
});

const odd = fc.constantFrom(
  ...['', '-', '--', '---', '-x', '--json', '--json=1', '--socket', '--socket=', '--help', '-vvv'],
  ...[
    '--version',
    '--no-start',
    '=',
    'é',
    '\u{1f600}',
    '\u001b[2J',
    'a\nb',
    '__proto__',
    '0',
    '-1',
  ],
  ...['constructor', '../../etc/passwd', '9'.repeat(400), 'A'.repeat(100_000), 'h1,h2', '1e9', '%'],
);
/** As a shell can hand it over: without zeros, and in UTF-8. */
const wordLike = (word: string): fc.Arbitrary<string> =>
  mutatedBytes(Buffer.from(word)).map((bytes) => bytes.toString().replaceAll('\0', ''));

const changed = fc.constantFrom(...lines).chain((words) =>
  fc
    .array(
      fc.record({
        at: fc.nat(words.length),
        cut: fc.constantFrom(0, 0, 1, 1, 2),
        put: fc.array(
          fc.oneof(odd, fc.constantFrom(...words), fc.constantFrom(...words).chain(wordLike)),
          {
            maxLength: 2,
          },
        ),
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((edits) =>
      edits.reduce<string[]>((all, { at, cut, put }) => all.toSpliced(at, cut, ...put), words),
    ),
);

test('a command line that is changed at random is carried out, or refused in a sentence with what helps', async () => {
  await fc.assert(fc.asyncProperty(changed, expectAnswered), runs);
});
