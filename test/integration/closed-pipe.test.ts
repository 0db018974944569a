import { expect, test } from '@jest/globals';
import { execa } from 'execa';

/** Whatever is written then has no reader any more. */
const beforeNobody = async (argv: string): Promise<{ code: string; stderr: string }> => {
  const command = `(sleep 0.2; exec ${process.execPath} --import tsx src/main/cli.ts ${argv}) | true`;
  const { stdout, stderr } = await execa('bash', ['-c', `${command}; echo "\${PIPESTATUS[0]}"`], {
    env: { NODE_OPTIONS: '' },
  });
  return { code: stdout, stderr };
};

test.each(['--help', 'config check', 'doctor --json'])(
  '`%s` before a reader that has gone ends as by SIGPIPE, without a word',
  async (argv) => {
    expect(await beforeNobody(argv)).toEqual({ code: '141', stderr: '' });
  },
  60_000,
);
