import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { rpmLockHolders } from '../../../../src/host/dnf/locks.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-dnf-locks-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Who is seen while a process holds a lock of a kind on a file. */
const seenWith = async (path: string, kind: 'LOCK_EX' | 'LOCK_SH'): Promise<string[]> => {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '');
  const script = `import fcntl,sys\nf=open(sys.argv[1],"r+")\nfcntl.lockf(f,fcntl.${kind})\nprint("held",flush=True)\nsys.stdin.read()`;
  const child = execa('python3', ['-c', script, file], { buffer: false, reject: false });
  await once(child.stdout, 'data');
  const seen = rpmLockHolders({ root, dbPath: '/usr/lib/sysimage/rpm' });
  child.stdin.end();
  await child;
  expect(seen.every(({ pid }) => pid === child.pid)).toBe(true);
  return seen.map(({ path: of }) => of.slice(root.length + 1));
};

test.each([
  ['rpm', 'usr/lib/sysimage/rpm/.rpm.lock'],
  ['a transaction of dnf 5', 'run/dnf/rpmtransaction.lock'],
  ['dnf 5.4 from where it has read what is installed', 'usr/lib/sysimage/libdnf5/system-repo.lock'],
  ['the same of later ones', 'var/lib/dnf/system-repo.lock'],
])('%s at work is seen, and one that only looks is not', async (_, path) => {
  expect(await seenWith(path, 'LOCK_EX')).toEqual([path]);
  expect(await seenWith(path, 'LOCK_SH')).toEqual([]);
});
