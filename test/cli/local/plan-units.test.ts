import { describe, expect, test } from '@jest/globals';
import type { DesiredEntry } from '../../../src/cli/local/installation/desired.ts';
import {
  contentHash,
  emptyManifest,
  parseManifest,
} from '../../../src/cli/local/installation/manifest.ts';
import type { Manifest } from '../../../src/cli/local/installation/manifest.ts';
import { planSetup } from '../../../src/cli/local/installation/plan.ts';
import type { Found, HostState, Plan } from '../../../src/cli/local/installation/plan.ts';
import { planUninstall } from '../../../src/cli/local/installation/plan-uninstall.ts';
import { diffLines } from '../../../src/cli/local/installation/show-plan.ts';

const unitPath = '/etc/systemd/system/groundswell.service';
const desired: DesiredEntry[] = [
  { kind: 'file', path: unitPath, mode: 0o644, content: 'new\n', editable: false, optional: false },
];
const state = (content: string | null): HostState => ({
  at: (path): Found =>
    path === unitPath
      ? content === null
        ? { kind: 'absent' }
        : { kind: 'file', mode: 0o644, content }
      : { kind: 'directory', mode: 0o755, entries: ['groundswell.service'] },
  group: 'present',
  systemd: true,
});
const manifest = (content: string, unit: string | null): Manifest => ({
  ...emptyManifest,
  files: { [unitPath]: contentHash(content) },
  unit,
});
const commands = ({ changes }: Plan): string[] =>
  changes.flatMap((change) => (change.kind === 'run' ? [change.argv.join(' ')] : [change.kind]));
const options = { unit: 'groundswell.service', keys: [], groupOptions: [] };

describe('units', () => {
  test('are written before systemd is told, and enabled last', () => {
    expect(commands(planSetup(desired, state(null), emptyManifest, options))).toEqual([
      'write-file',
      'systemctl daemon-reload',
      'systemctl enable --now groundswell.service',
    ]);
  });

  test('that changed are started anew only where they run', () => {
    const plan = planSetup(
      desired,
      state('old\n'),
      manifest('old\n', 'groundswell.service'),
      options,
    );
    expect(commands(plan)).toEqual([
      'write-file',
      'systemctl daemon-reload',
      'systemctl try-restart groundswell.service',
    ]);
  });

  test('one that its operator has disabled since is left so', () => {
    const plan = planSetup(
      desired,
      state('new\n'),
      manifest('new\n', 'groundswell.service'),
      options,
    );
    expect(commands(plan)).toEqual([]);
  });

  test('of another role take the place of the first', () => {
    const plan = planSetup(
      desired,
      state('new\n'),
      manifest('new\n', 'groundswell-agent.service'),
      options,
    );
    expect(commands(plan)).toEqual([
      'systemctl disable --now groundswell-server.service groundswell-agent.service',
      'systemctl enable --now groundswell.service',
    ]);
    expect(plan.manifest?.unit).toBe('groundswell.service');
  });

  test('of server and agent stand beside each other, and are started anew together', () => {
    const agent = { ...options, unit: 'groundswell-agent.service' };
    const server = manifest('new\n', 'groundswell-server.service');
    expect(commands(planSetup(desired, state('new\n'), server, agent))).toEqual([
      'systemctl enable --now groundswell-agent.service',
    ]);
    const changed = manifest('old\n', 'groundswell-agent.service');
    expect(commands(planSetup(desired, state('old\n'), changed, agent))).toEqual([
      'write-file',
      'systemctl daemon-reload',
      'systemctl try-restart groundswell-server.service groundswell-agent.service',
    ]);
  });

  test('are stopped before they are taken away', () => {
    const plan = planUninstall(desired, state('new\n'), manifest('new\n', 'groundswell.service'), {
      purge: false,
      groupOptions: [],
    });
    expect(commands(plan)).toEqual([
      'systemctl disable --now groundswell.service',
      'remove-file',
      'systemctl daemon-reload',
    ]);
  });

  test('are all stopped: another than the one that was enabled may run', () => {
    const other = unitPath.replace('.service', '-agent.service');
    const both = manifest('new\n', null);
    both.files[other] = contentHash('new\n');
    const { at } = state('new\n');
    const plan = planUninstall(
      desired,
      { ...state('new\n'), at: (path) => at(path === other ? unitPath : path) },
      both,
      { purge: false, groupOptions: [] },
    );
    expect(commands(plan)[0]).toBe(
      'systemctl disable --now groundswell.service groundswell-agent.service',
    );
  });

  test('written by hand as setup would have are remembered', () => {
    const plan = planSetup(desired, { ...state('new\n'), systemd: false }, emptyManifest, options);
    expect(plan.changes).toMatchObject([
      { kind: 'write-file', path: '/var/lib/groundswell/installed.json' },
    ]);
  });
});

test('a manifest that cannot be read is named, with what to do', () => {
  expect(() => parseManifest('{"version":2}', '/m')).toThrow(
    /^\/m cannot be understood: put it back/,
  );
});

test('a difference names lines that are only on one side', () => {
  expect(diffLines(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toEqual([
    '  a',
    '- b',
    '+ x',
    '  c',
    '+ d',
  ]);
});
