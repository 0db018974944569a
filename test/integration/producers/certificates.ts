import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  ca: string;
  /** Of a server that is called so. */
  issue: (name: string) => { key: string; cert: string };
  remove: () => void;
}

/** A CA of a test's own. */
export const createCertificates = (): Certificates => {
  const directory = mkdtempSync(join(tmpdir(), 'ca-'));
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test CA',
  );
  return {
    ca: readFileSync(at('ca.pem'), 'utf8'),
    issue: (name) => {
      const kind = /^[\d.]+$/.test(name) ? 'IP' : 'DNS';
      writeFileSync(at('extensions'), `subjectAltName=${kind}:${name}\n`);
      openssl(
        'req',
        ...newKey,
        '-keyout',
        'server.key',
        '-out',
        'server.csr',
        '-subj',
        '/CN=server',
      );
      openssl(
        ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
        ...['-CAcreateserial', '-out', 'server.pem', '-days', '2', '-extfile', 'extensions'],
      );
      return {
        key: readFileSync(at('server.key'), 'utf8'),
        cert: readFileSync(at('server.pem'), 'utf8'),
      };
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
};
