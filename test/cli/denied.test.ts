import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { deniedText } from '../../src/cli/denied.ts';
import { runProgram } from '../../src/cli/program.ts';

const denied = Object.assign(new Error("EACCES: permission denied, lstat '/var/lib/groundswell'"), {
  ...{ code: 'EACCES', path: '/var/lib/groundswell' },
});
const said = 'this needs root: /var/lib/groundswell is closed to others. Run it again with sudo';

test('what is denied to others than root is said to need root, and how to get it', () => {
  expect(deniedText(denied, false)).toBe(said);
  expect(deniedText(denied, true)).toBeNull();
  expect(deniedText(Object.assign(new Error('kill EPERM'), { code: 'EPERM' }), false)).toBe(
    'this needs root. Run it again with sudo',
  );
  expect(deniedText(new Error('something else'), false)).toBeNull();
});

test('every command says so in its one sentence', async () => {
  const uid = process.getuid;
  process.getuid = () => 1000;
  try {
    const program = new Command('groundswell');
    program.command('setup').action(() => Promise.reject(denied));
    let error = '';
    expect(await runProgram(program, ['setup'], (text) => (error += text))).toBe(1);
    expect(error).toBe(`groundswell: ${said}\n`);
  } finally {
    Object.assign(process, { getuid: uid });
  }
});
