import { describe, expect, test as plain } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { parseSocketAddress } from '../../../src/host/drain/haproxy-runtime.ts';
import {
  adminKind,
  parseServersState,
  parseStat,
  splitCsvLine,
} from '../../../src/host/drain/parse-haproxy.ts';

describe('answers of HAProxy’s runtime API', () => {
  // As HAProxy 2.6 answers, columns cut.
  const states = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
2 web 1 a 127.0.0.1 0 0 1
2 web 3 c 127.0.0.1 2 12 1

`;
  plain('show servers state', () => {
    expect(parseServersState(states)).toEqual([
      { backendId: 2, backend: 'web', serverId: 1, server: 'a', admin: 0 },
      { backendId: 2, backend: 'web', serverId: 3, server: 'c', admin: 12 },
    ]);
  });

  plain.each([
    [
      "Can't find backend.\n\n",
      /^answer to show servers state: cannot read "Can't find backend\.": want .* `stats socket`/,
    ],
    ['2\n# be_id\n', /stats socket/],
    ['1\n# be_id be_name\n2 web\n', /cannot read "be_id be_name": want a column srv_id$/],
    [states.replace(' 12 ', ' x '), /"2 web 3 .*": want a number in column srv_admin_state$/],
    [states.replace(' 12 ', ` ${'9'.repeat(400)} `), /want a number in column srv_admin_state$/],
  ])('one that is something else is refused: %j', (text, reason) => {
    expect(() => parseServersState(text)).toThrow(reason);
  });

  plain.each([
    [0, 'ready'],
    [1, 'maint'],
    [2, 'maint'],
    [0x20, 'maint'],
    [0x40, 'maint'],
    // `disabled` in the file, enabled since.
    [4, 'ready'],
    [5, 'maint'],
    [8, 'drain'],
    [12, 'drain'],
    [9, 'maint'],
  ])('admin state %d is %s', (admin, kind) => {
    expect(adminKind(admin)).toBe(kind);
  });

  plain('show stat, with a quoted text before the columns that count', () => {
    const text = `# pxname,svname,last_chk,qcur,scur,status,\nweb,a,"it said ""no, never""",1,2,UP,\n\n`;
    expect(parseStat(text)).toEqual([
      { backend: 'web', server: 'a', status: 'UP', sessions: 2, queued: 1 },
    ]);
    expect(() => parseStat('Unknown command\n')).toThrow(
      /^answer to show stat: cannot read "Unknown command": want .* `stats socket`/,
    );
    expect(() => parseStat('# pxname,svname,qcur,scur,status\nweb,a,0,,UP\n')).toThrow(/scur/);
  });

  test.prop([fc.array(fc.string(), { minLength: 1, maxLength: 5 })])('CSV comes back', (fields) => {
    const line = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',');
    expect(splitCsvLine(line)).toEqual(fields);
  });

  plain.each([
    ['/run/haproxy/admin.sock', { path: '/run/haproxy/admin.sock' }],
    ['./a:1', { path: './a:1' }],
    ['10.0.0.1:9999', { host: '10.0.0.1', port: 9999 }],
    ['lb.example:9999', { host: 'lb.example', port: 9999 }],
    ['[::1]:9999', { host: '::1', port: 9999 }],
    ['lb:0', { path: 'lb:0' }],
    ['lb:70000', { path: 'lb:70000' }],
  ])('socket %s', (socket, address) => {
    expect(parseSocketAddress(socket)).toEqual(address);
  });
});
