import { expect, test } from '@jest/globals';
import { parseFileLists } from '../../../src/host/proc/rpm-paths.ts';

test('file lists of rpm: configuration files and ghosts apart, epochs as elsewhere', () => {
  const text = [
    'openssl-libs\t1:3.0.7-25.el9\t\t/usr/lib64/libssl.so.3',
    'openssl-libs\t1:3.0.7-25.el9\tc\t/etc/pki/tls/openssl.cnf',
    'bash\t0:5.1.8-6.el9\t\t/usr/bin/bash',
    'bash\t0:5.1.8-6.el9\tcn\t/etc/skel/.bashrc',
    'bash\t0:5.1.8-6.el9\tg\t/var/lib/x',
    '',
  ].join('\n');
  const { lists, configuration, versions } = parseFileLists(text);
  expect(Object.fromEntries(lists)).toMatchObject({
    'openssl-libs': ['/usr/lib64/libssl.so.3', '/etc/pki/tls/openssl.cnf'],
  });
  expect([...configuration]).toEqual([
    ...['/etc/pki/tls/openssl.cnf', '/etc/skel/.bashrc', '/var/lib/x'],
  ]);
  expect(Object.fromEntries(versions)).toEqual({
    'openssl-libs': '1:3.0.7-25.el9',
    bash: '5.1.8-6.el9',
  });
});
