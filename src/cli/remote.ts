import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { callApi } from '../api/client.ts';
import type { OperatorAction } from '../core/coordinator/operator.ts';
import { wrapLines } from './fit.ts';
import { terminalWidth } from './print.ts';
import { shortIds } from './short-ids.ts';

/** What every command that talks to a server is given by the wiring. */
export interface CliDependencies {
  /** Socket of the server on this machine, unless --socket names another. */
  socketPath: string;
  /** Who acts, for the audit record: `user@host`. */
  actor: string;
  write: (text: string) => void;
  /** Whether a person watches: live lines and colours. */
  interactive: boolean;
  /** Of a command that did what it was asked, and found that something is not as it should be. */
  setExitCode: (code: number) => void;
}

export interface Remote {
  json: boolean;
  socketPath: string;
  get: (path: string) => Promise<unknown>;
  act: (action: OperatorAction) => Promise<{ id: string | null; text: string }>;
  line: (text: string) => void;
  /** Print JSON where it was asked for, else what `text` makes of it; on a terminal with short ids and wrapped. */
  show: <T>(value: T, text: (value: T) => string) => void;
}

/** An empty one, of a variable that is not set, would lead to whatever listens at this machine's port 80. */
export const readSocket = (path: string): string => {
  if (path !== '') return path;
  throw new InvalidArgumentError('Want the path of a socket.');
};

/** Options that commands with a server share. */
export const withRemoteOptions = (command: Command): Command =>
  command
    .option('--json', 'print JSON')
    .option('--socket <path>', 'the socket of the server', readSocket);

export const remoteFor = (
  deps: CliDependencies,
  options: { json?: boolean; socket?: string },
): Remote => {
  const socketPath = options.socket ?? deps.socketPath;
  const json = options.json ?? false;
  const line = (text: string): void => {
    deps.write(`${text}\n`);
  };
  return {
    json,
    socketPath,
    line,
    get: (path) => callApi(socketPath, 'GET', path),
    act: async (action) =>
      (await callApi(socketPath, 'POST', '/v1/actions', { actor: deps.actor, action })) as {
        id: string | null;
        text: string;
      },
    show: (value, text) => {
      if (json) line(JSON.stringify(value, null, 2));
      else line(deps.interactive ? wrapLines(shortIds(text(value)), terminalWidth()) : text(value));
    },
  };
};

/** Carry out one action and say what came of it. */
export const actAndTell = async (remote: Remote, action: OperatorAction): Promise<void> => {
  const answer = await remote.act(action);
  remote.show(answer, ({ text }) => text);
};
