import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostsOf, ownNames, writeOwnNames } from '../../../../src/host/lxc/provision/own-names.ts';
import { needsRoot } from '../../needs-root.ts';
import { hasOwnFiles } from '../../../../src/host/lxc/provision/upper-content.ts';

const hosts = '127.0.0.1\tlocalhost\n127.0.1.1\tbig.example.org big # of the installer\n::1 ip6\n';

describe('the table of hosts of a container', () => {
  test.each([
    ['a name', '127.0.1.1 big\n', '127.0.1.1\tweb-01\n'],
    [
      'a name with a domain',
      hosts,
      `127.0.0.1\tlocalhost\n127.0.1.1\tweb-01.example.org web-01\n::1 ip6\n`,
    ],
    [
      'the same twice',
      '127.0.1.1 big\n 127.0.1.1 big.lan\n',
      '127.0.1.1\tweb-01\n127.0.1.1\tweb-01.lan web-01\n',
    ],
    ['the name of no address', '127.0.0.1 localhost\n127.0.1.10 other\n#127.0.1.1 big\n', null],
    ['nothing', '', null],
  ])('where that of the host has %s', (_, text, expected) => {
    expect(hostsOf(text, 'web-01')).toBe(expected);
  });
});

needsRoot(describe)('names of a container in its upper layer', () => {
  let upper: string;
  const at = (path: string): string => join(upper, path);
  const write = (name: string): Promise<void> => writeOwnNames(upper, name, hosts);
  const kindOf = async (path: string): Promise<string> => {
    const stats = await lstat(at(path)).catch(() => null);
    return stats === null
      ? 'none'
      : stats.isSymbolicLink()
        ? 'link'
        : stats.isFile()
          ? 'file'
          : 'other';
  };

  beforeEach(async () => {
    upper = await mkdtemp(join(tmpdir(), 'gs-names-'));
  });
  afterEach(() => rm(upper, { recursive: true }));

  test('are written where there were none, and count as no files of its owner', async () => {
    const umask = process.umask(0o077);
    await write('web-01');
    process.umask(umask);
    expect(await readFile(at('etc/hostname'), 'utf8')).toBe('web-01\n');
    expect(await readFile(at('etc/hosts'), 'utf8')).toContain('web-01.example.org web-01\n');
    expect((await lstat(at('etc/hostname'))).mode & 0o777).toBe(0o644);
    expect((await lstat(at('etc'))).mode & 0o777).toBe((await lstat('/etc')).mode & 0o777);
    expect(await hasOwnFiles(upper, ownNames('web-01', hosts))).toBe(false);
    expect(await hasOwnFiles(upper, ownNames('web-02', hosts))).toBe(true);
    await writeFile(at('etc/hosts'), '127.0.0.1 localhost\n');
    expect(await hasOwnFiles(upper, ownNames('web-01', hosts))).toBe(true);
  });

  test('replace those of the container that it was copied from, and leave its other lines', async () => {
    await mkdir(at('etc'));
    await writeFile(at('etc/hostname'), 'web-01\n');
    await writeFile(at('etc/hosts'), '10.0.3.9 db\n127.0.1.1 web-01\n');
    await write('web-02');
    expect(await readFile(at('etc/hostname'), 'utf8')).toBe('web-02\n');
    expect(await readFile(at('etc/hosts'), 'utf8')).toBe('10.0.3.9 db\n127.0.1.1\tweb-02\n');
  });

  test('without a name in the table of the host, there is none in that of the container', async () => {
    await writeOwnNames(upper, 'web-01', '127.0.0.1 localhost\n');
    expect(await kindOf('etc/hosts')).toBe('none');
    expect(await kindOf('etc/hostname')).toBe('file');
  });

  test('of a size that no table of hosts has are left alone, and not read', async () => {
    await mkdir(at('etc'));
    await writeFile(at('etc/hosts'), '');
    // More than Node.js reads at once, and nothing on the disk.
    await truncate(at('etc/hosts'), 3 * 1024 ** 3);
    expect(await hasOwnFiles(upper, ownNames('web-01', hosts))).toBe(true);
    await write('web-01');
    expect(await readFile(at('etc/hostname'), 'utf8')).toBe('web-01\n');
    expect((await lstat(at('etc/hosts'))).size).toBe(3 * 1024 ** 3);
  });

  test('never lead out of the layer: links are replaced or left, not followed', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'gs-outside-'));
    await writeFile(join(outside, 'hostname'), 'of the host\n');
    await writeFile(join(outside, 'hosts'), hosts);
    await mkdir(at('etc'));
    for (const name of ['hostname', 'hosts']) await symlink(join(outside, name), at(`etc/${name}`));
    await write('web-01');
    expect(await kindOf('etc/hostname')).toBe('file');
    expect(await kindOf('etc/hosts')).toBe('link');
    await rm(at('etc'), { recursive: true });
    await symlink(outside, at('etc'));
    await write('web-01');
    expect(await readFile(join(outside, 'hostname'), 'utf8')).toBe('of the host\n');
    expect(await readFile(join(outside, 'hosts'), 'utf8')).toBe(hosts);
    await rm(outside, { recursive: true });
  });
});
