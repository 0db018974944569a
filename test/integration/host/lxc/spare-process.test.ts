import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createSpareProcesses } from '../../../../src/host/lxc/spare-process.ts';
import { waitUntil } from '../../../bed/wait-until.ts';

let directory: string;
const path = process.env['PATH'];

/** Tells what it was given: its pid, the mark of our stops, its limit on open files, its words. */
const teller = `#!/bin/sh
echo "$$ \${GROUNDSWELL_STOP:-none} $(ulimit -S -n) $*"
cat
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-spare-'));
  for (const name of ['lxc-stop', 'lxc-start']) {
    await writeFile(join(directory, name), teller);
    await chmod(join(directory, name), 0o755);
  }
  process.env['PATH'] = `${directory}:${path ?? ''}`;
});

afterAll(async () => {
  process.env['PATH'] = path;
  await rm(directory, { recursive: true });
});

const childrenNow = async (): Promise<string[]> =>
  (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).split(' ').filter(Boolean);

describe('a spare process', () => {
  test('becomes the command, with its pid, its words and no input', async () => {
    const spares = createSpareProcesses();
    const running = spares.begin(['lxc-start', '-n', 'a b', "it's", '$HOME', '*']);
    const { pid } = running;
    const { stdout, exitCode } = await running;
    expect({ stdout, exitCode }).toEqual({
      stdout: `${pid} none 1024 -n a b it's $HOME *`,
      exitCode: 0,
    });
  });

  test('marks the stops that are ours, and nothing else', async () => {
    const spares = createSpareProcesses();
    expect((await spares.begin(['lxc-stop', '-n', 'a'])).stdout).toContain(' 1 1024 ');
    expect((await spares.begin(['lxc-start', '-n', 'a'])).stdout).toContain(' none 1024 ');
  });

  test('is there before the next command is', async () => {
    const spares = createSpareProcesses();
    const before = await childrenNow();
    await spares.begin(['true']);
    const waiting = await waitUntil(
      'a spare to wait',
      async () => (await childrenNow()).find((pid) => !before.includes(pid)) ?? null,
      { deadlineMs: 5_000, everyMs: 5 },
    );
    const next = spares.begin(['true']);
    expect(String(next.pid)).toBe(waiting);
    await next;
  });

  test('that was killed while it waited is replaced', async () => {
    const spares = createSpareProcesses();
    await spares.begin(['true']);
    const before = await childrenNow();
    for (const pid of before) process.kill(Number(pid), 'SIGKILL');
    await waitUntil(
      'the spare to be gone',
      async () => (await childrenNow()).every((pid) => !before.includes(pid)),
      { deadlineMs: 5_000, everyMs: 5 },
    );
    expect((await spares.begin(['lxc-start'])).stdout).toMatch(/^\d+ none/);
  });

  test('does nothing when its parent is killed before it had a command, and keeps no parent alive', async () => {
    const module = new URL('../../../../src/host/lxc/spare-process.ts', import.meta.url).href;
    const code = `
      import { createSpareProcesses } from '${module}';
      await createSpareProcesses().begin(['true']);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const { readFileSync } = await import('node:fs');
      console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
    `;
    // It ends by itself: a spare that waits is no reason to stay.
    const { stdout } = await execa(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', code],
      { env: { NODE_OPTIONS: '' }, timeout: 20_000 },
    );
    const pid = stdout.trim();
    expect(pid).toMatch(/^\d+$/);
    await waitUntil(
      'the spare to have ended with its parent',
      () =>
        readFile(`/proc/${pid}/cmdline`).then(
          () => false,
          () => true,
        ),
      { deadlineMs: 5_000, everyMs: 5 },
    );
  });

  test('takes no word that it could not be given whole', () => {
    const spares = createSpareProcesses();
    expect(() => spares.begin(['lxc-stop', '-n', 'a\nb'])).toThrow('newline');
    expect(() => spares.begin(['lxc-stop', ''])).toThrow('empty word');
  });
});
