import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createProgram, runProgram } from '../../src/cli/program.ts';

export interface CommandLine {
  /** What the server was asked to do, or for its audit records. */
  asked: string[];
  type: (...argv: string[]) => Promise<{ code: number; out: string; error: string }>;
  close: () => Promise<void>;
}

/** The command line before a server that answers each path with `answers`, and every action with an empty text. */
export const commandLine = async (answers: Record<string, unknown>): Promise<CommandLine> => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-line-'));
  const socketPath = join(directory, 's');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url.startsWith('/v1/audit')) asked.push(url);
    void text(request).then((body) => {
      if (request.method === 'POST') asked.push(url === '/v1/actions' ? body : `${url} ${body}`);
      response.end(JSON.stringify(answers[url] ?? (url === '/v1/actions' ? { text: '' } : [])));
    });
  }).listen(socketPath);
  await once(server, 'listening');
  return {
    asked,
    type: async (...argv) => {
      const said = { out: '', error: '' };
      const program = createProgram(
        '0',
        {
          ...{ socketPath, actor: 'ann', interactive: false, setExitCode: () => undefined },
          write: (line) => (said.out += line),
        },
        [],
      );
      return { code: await runProgram(program, argv, (line) => (said.error += line)), ...said };
    },
    close: async () => {
      server.close();
      await rm(directory, { recursive: true });
    },
  };
};
