import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { examine } from '../../../src/cli/local/doctor.ts';
import {
  installationChecks,
  isSetUp,
} from '../../../src/cli/local/doctor-checks/installation-checks.ts';
import { serviceChecks } from '../../../src/cli/local/doctor-checks/service-checks.ts';
import { applyPlan } from '../../../src/cli/local/installation/apply.ts';
import { desiredEntries, packagingReader } from '../../../src/cli/local/installation/desired.ts';
import { emptyManifest } from '../../../src/cli/local/installation/manifest.ts';
import { planSetup } from '../../../src/cli/local/installation/plan.ts';
import { readHost } from '../../../src/cli/local/installation/read-host.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { PackageSystem } from '../../../src/host/packages/package-system.ts';
import { findOtherRestarters } from '../../../src/host/packages/other-restarters.ts';
import type { RunBounded } from '../../../src/host/run-bounded.ts';
import { runBounded } from '../../../src/host/run-bounded.ts';
import { needsRoot } from '../needs-root.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gw-doctor-'));
});
afterEach(() => rm(root, { recursive: true }));

const desired = {
  readPackaging: packagingReader('packaging'),
  nodePath: '/usr/bin/node',
  binPath: join(process.cwd(), 'bin/groundswell.js'),
  dataDirectory: '/var/lib/groundswell',
  spoolDirectory: '/var/spool/groundswell',
};

const look = async (): Promise<string[]> => {
  const checks = installationChecks({
    root,
    desired,
    loadConfig: () =>
      loadConfig({ file: join(root, 'etc/groundswell/config.yaml'), environment: {} }),
    otherRestarters: () => findOtherRestarters(root),
  });
  return (await examine(checks)).map(
    ({ check, status, message }) => `${check} ${status}: ${message}`,
  );
};

const setUp = async (system: PackageSystem = 'dpkg'): Promise<void> => {
  const entries = await desiredEntries(desired, system);
  const state = await readHost(root, entries, emptyManifest, []);
  const plan = planSetup(entries, state, emptyManifest, { unit: null, keys: [], groupOptions: [] });
  const makeKey = (): Promise<void> => Promise.resolve();
  await applyPlan(plan, { root, run: runBounded, makeKey });
};

needsRoot(test)('nothing installed, installed, and spoilt', async () => {
  expect(await look()).toEqual(
    expect.arrayContaining([
      'hooks fail: /usr/lib/groundswell/groundswell-hook is not there',
      'directories fail: /var/spool/groundswell is not there',
    ]),
  );

  expect(await isSetUp({ root, desired })).toBe(false);

  await setUp();
  expect(await isSetUp({ root, desired })).toBe(true);
  expect((await look()).map((line) => line.split(':')[0])).toEqual([
    'hooks ok',
    'directories ok',
    'units ok',
    'configuration warn',
    'other restarters ok',
  ]);

  // Whatever is missing then is named one by one.
  await rm(join(root, 'etc/dpkg/dpkg.cfg.d/groundswell'));
  expect(await isSetUp({ root, desired })).toBe(true);
  expect(await look()).toContain('hooks fail: /etc/dpkg/dpkg.cfg.d/groundswell is not there');

  await chmod(join(root, 'var/lib/groundswell'), 0o755);
  await chmod(join(root, 'usr/lib/groundswell/groundswell-hook'), 0o644);
  await writeFile(join(root, 'etc/groundswell/config.yaml'), 'wavs: 1\n');
  await writeFile(
    join(root, 'etc/apt/apt.conf.d/99restart'),
    'DPkg::Post-Invoke { "lxc-autostart -r -a"; };\n',
  );
  const spoilt = await look();
  expect(spoilt).toEqual(
    expect.arrayContaining([
      'directories fail: /var/lib/groundswell has mode 0755, wants 0700',
      'hooks fail: /usr/lib/groundswell/groundswell-hook has mode 0644, wants 0755',
      expect.stringMatching(
        /^configuration fail: .*config.yaml:1:1: wavs: is not known; did you mean waves\?/,
      ),
      expect.stringMatching(/^other restarters fail: .*99restart:1: runs `lxc-autostart/),
    ]),
  );
});

needsRoot(test)('a dnf host: its own hooks, and the plugins that call them', async () => {
  const put = async (path: string, text = ''): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await put('etc/os-release', 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n');
  await setUp('rpm');
  const hooks = async (): Promise<string[]> =>
    (await look()).filter((line) => line.startsWith('hook'));
  const installed = 'hooks ok: the hooks of dnf and needrestart are installed';
  expect(await hooks()).toEqual([
    installed,
    'hook plugins warn: there is no dnf 4 or 5: upgrades by others are seen, but none can be made from here',
  ]);
  await put('usr/bin/dnf-3');
  await put('usr/bin/dnf5');
  await put('usr/lib64/libdnf5/plugins/actions.so');
  const calls = 'has the plugin that calls hooks';
  expect(await hooks()).toEqual([
    installed,
    expect.stringMatching(/^hook plugins warn: dnf 4 calls no hooks: /),
    `hook plugins ok: dnf 5 ${calls}`,
  ]);
  await put('usr/lib/python3.9/site-packages/dnf-plugins/post-transaction-actions.py');
  expect(await hooks()).toContain(`hook plugins ok: dnf 4 ${calls}`);
  await rm(join(root, 'etc/dnf/libdnf5-plugins/actions.d/groundswell.actions'));
  expect(await hooks()).toContain(
    'hooks fail: /etc/dnf/libdnf5-plugins/actions.d/groundswell.actions is not there',
  );
});

const service = async (
  answers: Record<string, string>,
  askServer: () => Promise<string> = () => Promise.resolve('1.2.3'),
): Promise<string[]> => {
  const run: RunBounded = ([, verb = '']) =>
    Promise.resolve({
      ...{ ended: 'exited', exitCode: 3, problem: '' },
      output: `${answers[verb] ?? ''}\n`,
    });
  const found = await examine(serviceChecks({ root, desired, run, askServer }));
  return found.map(({ check, status, message }) => `${check} ${status}: ${message}`);
};

needsRoot(test)('what should run, and does not; and the command', async () => {
  const command =
    'command warn: /usr/local/bin/groundswell is not there: nobody can just say groundswell';
  expect(await service({})).toEqual(['service ok: the server answers, version 1.2.3', command]);
  await mkdir(join(root, 'run/systemd/system'), { recursive: true });
  await setUp();
  const good = 'command ok: /usr/local/bin/groundswell is this program';
  // In the order of the units: up, server, agent.
  expect(
    await service({
      'is-active': 'active\ninactive\ninactive',
      'is-enabled': 'enabled\ndisabled\ndisabled',
    }),
  ).toEqual([
    'service ok: groundswell.service runs, and starts at boot',
    'service ok: the server answers, version 1.2.3',
    good,
  ]);
  const silent = (): Promise<string> => Promise.reject(new Error('no server answers'));
  expect(
    await service(
      { 'is-active': 'inactive\ninactive\nactive', 'is-enabled': 'disabled\ndisabled\ndisabled' },
      silent,
    ),
  ).toEqual(['service warn: groundswell-agent.service runs, but does not start at boot', good]);
  expect(
    await service(
      {
        'is-active': 'activating\ninactive\ninactive',
        'is-enabled': 'enabled\ndisabled\ndisabled',
      },
      silent,
    ),
  ).toEqual([
    'service fail: groundswell.service does not run: it is activating',
    'service warn: no server answers',
    good,
  ]);
  await rm(join(root, 'usr/local/bin/groundswell'));
  await symlink('/bin/true', join(root, 'usr/local/bin/groundswell'));
  expect(await service({ 'is-active': 'inactive\ninactive\ninactive' })).toEqual([
    'service warn: no unit of Groundswell runs',
    'service ok: the server answers, version 1.2.3',
    'command warn: /usr/local/bin/groundswell is another program than this one',
  ]);
});
