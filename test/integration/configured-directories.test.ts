import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgram, runProgram } from '../../src/cli/program.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { Configuration } from '../../src/config/schema.ts';
import { findUnhidden } from '../../src/host/lxc/provision/find-unhidden.ts';
import { openPackageManager } from '../../src/host/packages/open-package-manager.ts';
import { settingsPortFrom } from '../../src/main/from-config.ts';
import { readHostConfig } from '../../src/main/read-config.ts';
import { openRealHost } from '../../src/workers/agent/ports/real-host.ts';
import { registerLocal } from '../../src/main/local-commands.ts';
import { needsRoot } from './needs-root.ts';

/** Part of this machine and not below /tmp, which is hidden as a whole. */
let here: string;
beforeEach(async () => {
  here = await mkdtemp('/var/tmp/gs-configured-');
  const container = join(here, 'lxc/web-01');
  await mkdir(join(container, 'delta0'), { recursive: true });
  await writeFile(
    join(container, 'config'),
    `lxc.uts.name = web-01\nlxc.rootfs.path = overlay:/:${container}/delta0\n`,
  );
});
afterEach(() => rm(here, { recursive: true }));

/** What a local command says, with the configuration that this host has. */
const type = async (text: string, ...argv: string[]): Promise<{ code: number; said: string }> => {
  const file = join(here, 'gs.yaml');
  await writeFile(file, text);
  const loaded = await loadConfig({ file, environment: {} });
  let said = '';
  const write = (more: string): void => {
    said += more;
  };
  const deps = {
    ...{ socketPath: join(here, 'api.sock'), actor: 'ann', interactive: false },
    ...{ write, setExitCode: () => undefined },
  };
  const config = loaded.ok ? loaded.config : Configuration.parse({});
  const program = createProgram('0', deps, [
    (to) => {
      registerLocal(to, { config, loaded }, deps);
    },
  ]);
  return { code: await runProgram(program, argv, write), said };
};

const configuration = (): string =>
  `dataDirectory: ${here}/data\nagent: {lxcPath: ${here}/lxc, spoolDirectory: ${here}/spool}\n`;
const ofContainer = (...argv: string[]): string[] => [
  ...['container', '--lxc-path', join(here, 'lxc'), ...argv],
];
const own = (...names: string[]): string[] => names.map((name) => join(here, name));

/** What `doctor` says of what containers can see. */
const hiddenCheck = async (text: string): Promise<string[]> => {
  const { said } = await type(text, 'doctor', '--json');
  const { findings } = JSON.parse(said) as {
    findings: { check: string; status: string; message: string }[];
  };
  return findings
    .filter(({ check }) => check === 'hidden')
    .map(({ status, message }) => `${status}: ${message}`);
};

needsRoot(test)('are looked for and hidden by container list, hide and doctor', async () => {
  const unhidden = async (): Promise<string[]> => {
    const { said } = await type(configuration(), ...ofContainer('list', '--json'));
    const [row] = JSON.parse(said) as { unhidden: string[] }[];
    return row?.unhidden.filter((path) => path.startsWith(here)) ?? [];
  };
  const places = own('lxc', 'data', 'spool', 'gs.yaml', 'config.d');
  expect(await unhidden()).toEqual(places);
  expect(await hiddenCheck(configuration())).toEqual([
    expect.stringContaining(places.slice(1).join(' ')),
  ]);

  const hide = await type(configuration(), ...ofContainer('hide', 'web-01', '--json'));
  expect((JSON.parse(hide.said) as { hidden: string[] }).hidden).toEqual(
    expect.arrayContaining(places),
  );
  expect(await unhidden()).toEqual([]);
  expect(await hiddenCheck(configuration())).toEqual([
    'ok: no container can look into private directories of the host',
  ]);
});

const openHost = async (onProblem: (text: string) => void) => {
  const file = join(here, 'gs.yaml');
  await writeFile(file, configuration());
  const { config, privatePaths } = await readHostConfig(file);
  const places = { lxcPath: config.agent.lxcPath, own: privatePaths };
  const opened = openRealHost({
    ...places,
    parkedDirectory: join(here, 'data/parked'),
    packages: openPackageManager({
      ...{ transactionsDirectory: here, launcherPath: '', cgroupDirectories: [] },
      ...{ lockTimeoutMs: 0, environment: {} },
    }),
    settings: settingsPortFrom(config),
    onProblem,
  });
  return { ...opened, places };
};

needsRoot(test)('are hidden by the agent while a container is down', async () => {
  const { host, close, places } = await openHost((text) => {
    throw new Error(text);
  });
  try {
    const [container] = await host.runtime.list();
    if (container === undefined) throw new Error('the container is not seen');
    // What `status` shows.
    expect(await host.unhidden(container)).toEqual(
      expect.arrayContaining(own('lxc', 'data', 'spool', 'gs.yaml', 'config.d')),
    );
    await host.whileDown(container.name);
    expect(await host.unhidden(container)).toEqual([]);
    expect(await findUnhidden([container], places)).toEqual([]);
  } finally {
    await close();
  }
});

needsRoot(test)('are visible where it cannot be told what a container sees', async () => {
  const problems: string[] = [];
  const { host, close } = await openHost((text) => problems.push(text));
  const { PATH } = process.env;
  try {
    const [container] = await host.runtime.list();
    if (container === undefined) throw new Error('the container is not seen');
    await mkdir(join(container.root.kind === 'other' ? '' : container.root.upper, 'root'));
    // Neither perl nor python3 is found.
    process.env['PATH'] = here;
    expect(await host.unhidden(container)).toEqual(
      expect.arrayContaining([...own('lxc', 'data', 'spool'), '/root', '/etc/groundswell']),
    );
    expect(problems).toEqual([expect.stringMatching(/^what web-01 can see .* cannot be told: /)]);
  } finally {
    process.env['PATH'] = PATH;
    await close();
  }
});

needsRoot(test)('have the notes on parked containers', async () => {
  const parked = join(here, 'data/parked');
  expect(await type(configuration(), ...ofContainer('park', 'web-01'))).toMatchObject({ code: 0 });
  expect(await readdir(parked)).toEqual(['web-01']);
  await type(configuration(), ...ofContainer('park', 'web-01', '--undo'));
  expect(await readdir(parked)).toEqual([]);
});

needsRoot(test)(
  'nothing is made, hidden or called hidden where the configuration does not tell them',
  async () => {
    const wrong = `${configuration()}frob: 1\n`;
    const answers = [
      await type(wrong, ...ofContainer('create', 'web-02', '--init', '/bin/true')),
      await type(wrong, ...ofContainer('hide', 'web-01')),
      await type(wrong, ...ofContainer('park', 'web-01')),
    ];
    for (const { code, said } of answers) {
      expect(code).not.toBe(0);
      expect(said).toContain('groundswell config check');
    }
    expect(await hiddenCheck(wrong)).toEqual([
      expect.stringMatching(/^fail: .*groundswell config check/),
    ]);
    expect(await readdir(join(here, 'lxc'))).toEqual(['web-01']);
  },
);
