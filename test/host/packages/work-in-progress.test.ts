import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { workOf } from '../../../src/host/packages/work-in-progress.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'gs-work-'));
});
afterEach(() => {
  rmSync(proc, { recursive: true });
});

const aMinuteAgo = (): number => Math.round((uptime() * 1000 - 60_000) / 10);

/** A process with its children, by the thread that has them. */
const put = (pid: number, words: string[], children: Record<number, number[]> = {}): void => {
  const at = join(proc, String(pid));
  mkdirSync(at);
  writeFileSync(join(at, 'cmdline'), `${words.join('\0')}\0`);
  const zeros = Array.from({ length: 18 }, () => '0').join(' ');
  writeFileSync(join(at, 'stat'), `${pid} (a b) c) S ${zeros} ${aMinuteAgo()} 0 0\n`);
  for (const [thread, pids] of Object.entries(children)) {
    mkdirSync(join(at, 'task', thread), { recursive: true });
    writeFileSync(join(at, 'task', thread, 'children'), pids.map((one) => `${one} `).join(''));
  }
};
const apt = { pid: 812, command: 'apt-get' };

test.each([
  ['/var/lib/dpkg/info/tzdata.postinst', 'the postinst of tzdata'],
  ['/var/lib/dpkg/info/libc6:amd64.prerm', 'the prerm of libc6:amd64'],
  ['/var/lib/dpkg/tmp.ci/preinst', 'the preinst of a package that is unpacked'],
  ['/var/tmp/rpm-tmp.Ab12Cd', 'a script of a package'],
])('%s is found below the package manager, under whatever runs it', (path, what) => {
  put(812, ['apt-get', 'install'], { 812: [], 815: [820] });
  put(820, ['/usr/bin/dpkg', '--configure', '-a'], { 820: [930, 931] });
  put(930, ['/bin/sh', path, 'configure', '1.0'], { 930: [940] });
  put(931, ['/usr/bin/dpkg-deb'], {});
  put(940, ['/bin/sh', path, 'configure', '1.0'], {});
  const { script } = workOf(apt, proc);
  expect(script).toMatchObject({ what, pid: 930 });
  expect(Math.round((script?.beganAtMs ?? 0) / 60_000)).toBeLessThanOrEqual(
    Math.round(Date.now() / 60_000),
  );
});

test('what is at work and runs no script has none, nor has one that is hidden or gone', () => {
  put(812, ['apt-get', 'install', '/var/lib/dpkg/info/tzdata.list'], { 812: [820] });
  expect(workOf(apt, proc)).toEqual({ ...apt, script: null });
  expect(workOf({ pid: 0, command: '' }, proc)).toEqual({ pid: 0, command: '', script: null });
  expect(workOf({ pid: -1, command: '' }, proc).script).toBeNull();
  expect(workOf({ pid: 4, command: '' }, proc).script).toBeNull();
});

test('processes that name one another as children have an end', () => {
  put(812, ['apt-get'], { 812: [820] });
  put(820, ['dpkg'], { 820: [812, 820] });
  expect(workOf(apt, proc).script).toBeNull();
});
