import { once } from 'node:events';
import { createConnection } from 'node:net';

/** A line of `show stat` about one server. */
export interface ServerStatistics {
  backend: string;
  server: string;
  /** `UP`, `DOWN`, `MAINT`, `DRAIN` and so on, as HAProxy writes it. */
  status: string;
  /** Sessions in progress. */
  sessions: number;
}

/** One command on HAProxy's runtime API over its Unix socket. */
export const askRuntime = (socketPath: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(socketPath);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', reject);
    socket.on('end', () => {
      resolve(answer);
    });
    socket.write(`${command}\n`);
  });

/** Commands one after another on one connection, which costs a fraction of one for each. */
export type Ask = (command: string) => Promise<string>;

/** It answers within a millisecond: one that does not for so long stands still. */
const answerMs = 10_000;

/** What HAProxy writes when it waits for a command, since it was told `prompt` (management guide, 9.3). */
const prompt = '\n> ';

/** Rejects where nobody listens at `socketPath`; a question rejects once the connection is over. */
export const openRuntime = async (socketPath: string): Promise<Ask> => {
  const socket = createConnection(socketPath);
  await once(socket, 'connect');
  socket.setEncoding('utf8');
  let waiting: { resolve: (answer: string) => void; reject: (error: Error) => void } | null = null;
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
    if (!answer.endsWith(prompt)) return;
    socket.setTimeout(0);
    waiting?.resolve(answer.slice(0, -prompt.length));
    [waiting, answer] = [null, ''];
  });
  let over: Error | null = null;
  const end = (error: Error): void => {
    over ??= error;
    waiting?.reject(over);
  };
  socket.on('error', end);
  socket.on('timeout', () => {
    socket.destroy(new Error(`HAProxy has not answered for ${answerMs} ms`));
  });
  socket.on('close', () => {
    end(new Error(`HAProxy has closed the connection to ${socketPath}`));
  });
  const ask: Ask = (command) =>
    new Promise((resolve, reject) => {
      if (over !== null || waiting !== null) {
        reject(over ?? new Error('one question at a time'));
        return;
      }
      waiting = { resolve, reject };
      socket.write(`${command}\n`);
      socket.setTimeout(answerMs);
    });
  await ask('prompt');
  return ask;
};

/** All servers, without what stands for a whole backend. */
export const statisticsCommand = 'show stat -1 4 -1';

/** The CSV of `show stat` (HAProxy management guide, 9.1), servers only. */
export const parseServerStatistics = (csv: string): ServerStatistics[] => {
  const [header = '', ...rows] = csv.trim().split('\n');
  const names = header.replace(/^# /, '').split(',');
  const columns = { backend: 'pxname', server: 'svname', status: 'status', sessions: 'scur' };
  const at = (row: string[], name: string): string => row[names.indexOf(name)] ?? '';
  return rows.map((line) => {
    const row = line.split(',');
    return {
      backend: at(row, columns.backend),
      server: at(row, columns.server),
      status: at(row, columns.status),
      sessions: Number(at(row, columns.sessions)),
    };
  });
};
