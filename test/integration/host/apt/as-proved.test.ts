import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { simulateAsProved } from '../../../../src/host/apt/simulate-as-proved.ts';
import type { AptHost } from '../../../../src/host/apt/apt-host.ts';

/** A real apt that looks at a root of its own: `gs-app` 1 and `gs-lib` 1 are installed, and newer ones offered. */
let directory: string;
let host: AptHost;

const stanza = (name: string, version: string, depends: string, more: string): string =>
  [
    ...[`Package: ${name}`, `Version: ${version}`, 'Architecture: amd64', 'Maintainer: x <x@x>'],
    ...[more, 'Description: x', ...(depends === '' ? [] : [`Depends: ${depends}`]), '', ''],
  ].join('\n');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-proved-'));
  const at = (path: string): string => join(directory, path);
  for (const path of ['etc/apt', 'lists/partial', 'archives/partial', 'repo', 'log'])
    await mkdir(at(path), { recursive: true });
  const offered = (name: string, version: string, depends = ''): string =>
    stanza(name, version, depends, `Filename: ./${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}`);
  await writeFile(
    at('repo/Packages'),
    [
      offered('gs-app', '2', 'gs-lib (>= 2), gs-new'),
      ...['2', '3'].map((version) => offered('gs-lib', version)),
      ...['1', '2'].map((version) => offered('gs-new', version)),
    ].join(''),
  );
  const installed = 'Status: install ok installed';
  await writeFile(
    at('status'),
    stanza('gs-app', '1', 'gs-lib', installed) + stanza('gs-lib', '1', '', installed),
  );
  await writeFile(at('sources.list'), `deb [trusted=yes] file:${at('repo')} ./\n`);
  await writeFile(
    at('apt.conf'),
    [
      ...[`Dir::Etc "${at('etc/apt')}";`, `Dir::Etc::sourcelist "${at('sources.list')}";`],
      ...[`Dir::State::lists "${at('lists')}";`, `Dir::State::status "${at('status')}";`],
      ...[`Dir::Cache "${directory}";`, `Dir::Log "${at('log')}";`],
      ...['APT::Architecture "amd64";', 'APT::Architectures { "amd64"; };'],
      ...['APT::Sandbox::User "root";', 'Debug::NoLocking "true";'],
    ].join('\n'),
  );
  host = {
    ...{ root: '/', transactionsDirectory: '', launcherPath: '', cgroupDirectories: [] },
    ...{ lockTimeoutMs: 0, environment: { APT_CONFIG: at('apt.conf') } },
  };
  await execa('apt-get', ['-q', 'update'], { env: { APT_CONFIG: at('apt.conf') } });
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

const proved = (name: string, version: string) => ({ name, arch: 'amd64', version });
const app = { name: 'gs-app', arch: 'amd64', from: '1', to: '2' };
const simulated = async (...versions: ReturnType<typeof proved>[]): Promise<string[] | string> => {
  const answer = await simulateAsProved(host, [app], versions);
  return answer.ok
    ? answer.simulation.installs.map(({ name, to }) => `${name} ${to}`).sort()
    : `${answer.reason.kind} ${(answer.reason.missing ?? []).map(({ name }) => name).join()}`;
};

test('what comes along comes in the version that was proved, whether it is installed or new', async () => {
  expect(await simulated()).toEqual(['gs-app 2', 'gs-lib 3', 'gs-new 2']);
  expect(await simulated(proved('gs-lib', '2'), proved('gs-new', '1'))).toEqual([
    ...['gs-app 2', 'gs-lib 2', 'gs-new 1'],
  ]);
  const answer = await simulateAsProved(
    host,
    [app],
    [proved('gs-lib', '2'), proved('gs-new', '1')],
  );
  expect(answer).toMatchObject({
    targets: [app, { name: 'gs-lib', from: '1' }, { name: 'gs-new', from: '' }],
  });
});

test('nothing changes for that alone', async () => {
  expect(await simulated(proved('gs-other', '1'), proved('gs-lib', '3'))).toEqual([
    ...['gs-app 2', 'gs-lib 3', 'gs-new 2'],
  ]);
});

test('one that the repositories do not have so is a version that cannot be had', async () => {
  expect(await simulated(proved('gs-lib', '2.5'))).toBe('unknown-version gs-lib');
});
