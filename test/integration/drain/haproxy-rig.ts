import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askHaproxy } from '../../../src/host/drain/haproxy-runtime.ts';
import { parseStat } from '../../../src/host/drain/parse-haproxy.ts';

/** A web server that can be stopped as a killed process is: requests in flight are cut. */
export interface TinyServer {
  port: number;
  start: () => Promise<void>;
  kill: () => Promise<void>;
}

export interface Rig {
  socket: string;
  /** The same runtime API over TCP, `host:port`. */
  tcpSocket: string;
  /** A runtime API without the right to change anything. */
  viewerSocket: string;
  servers: [TinyServer, TinyServer];
  say: (command: string) => Promise<string>;
  status: () => Promise<Record<string, string>>;
  /** Sixteen clients until it is stopped; answers how many requests succeeded and failed. */
  load: (delayMs: number) => () => Promise<{ succeeded: number; failed: number }>;
  frontendPort: number;
  dispose: () => Promise<void>;
}

const freePort = async (): Promise<number> => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const tinyServer = (port: number): TinyServer => {
  let server: Server | null = null;
  return {
    port,
    start: () =>
      new Promise((resolve) => {
        server = createServer((request, response) => {
          const delayMs = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('ms'));
          response.setHeader('connection', 'close');
          setTimeout(() => response.end('ok'), delayMs).unref();
        });
        server.listen(port, '127.0.0.1', resolve);
      }),
    kill: () =>
      new Promise((resolve) => {
        server?.close(() => {
          resolve();
        });
        server?.closeAllConnections();
      }),
  };
};

const request = (port: number, path: string, agent: Agent): Promise<boolean> =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume();
      response.once('error', () => undefined);
      response.once('close', () => {
        resolve(response.complete && response.statusCode === 200);
      });
    }).once('error', () => {
      resolve(false);
    });
  });

/**
 * HAProxy with retries off and quick checks, so that a missing drain really costs requests. A check
 * may take long, as this process serves everything and its machine may be busy; a refused one does not.
 */
export const startRig = async (): Promise<Rig> => {
  const directory = await mkdtemp(join(tmpdir(), 'gw-haproxy-'));
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
  const [frontendPort = 0, runtimePort = 0, first = 0, second = 0] = ports;
  const servers: [TinyServer, TinyServer] = [tinyServer(first), tinyServer(second)];
  await Promise.all(servers.map(({ start }) => start()));
  const socket = join(directory, 'sock');
  const viewerSocket = join(directory, 'viewer');
  const config = join(directory, 'haproxy.cfg');
  await writeFile(
    config,
    `global
  stats socket ${socket} mode 600 level admin
  stats socket ipv4@127.0.0.1:${runtimePort} level admin
  stats socket ${viewerSocket} mode 600 level user
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  retries 0
  option httpchk GET /health
  default-server check inter 50ms fastinter 20ms downinter 20ms fall 1 rise 1
frontend in
  bind 127.0.0.1:${frontendPort}
  default_backend web
backend web
  balance roundrobin
  server web-1 127.0.0.1:${first}
  server web-2 127.0.0.1:${second}
  server follower 127.0.0.1:${first} no-check track web/web-1 weight 0
`,
  );
  const haproxy = spawn('haproxy', ['-db', '-f', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  haproxy.stderr.on('data', (text: Buffer) => (complaints += text.toString()));

  const say = (command: string): Promise<string> =>
    askHaproxy(socket, command, { timeoutMs: 2_000 });
  const status = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      parseStat(await say('show stat web 4 -1')).map(({ server, status: is }) => [server, is]),
    );
  const dispose = async (): Promise<void> => {
    if (haproxy.exitCode === null && haproxy.signalCode === null) {
      const gone = new Promise((resolve) => haproxy.once('exit', resolve));
      haproxy.kill('SIGKILL');
      await gone;
    }
    await Promise.all(servers.map(({ kill }) => kill()));
    await rm(directory, { recursive: true });
  };
  const end = Date.now() + 5_000;
  for (;;) {
    const seen = await status().catch((): Record<string, string> => ({}));
    if (seen['web-1'] === 'UP' && seen['web-2'] === 'UP') break;
    if (Date.now() > end || haproxy.exitCode !== null) {
      await dispose();
      throw new Error(`HAProxy does not come up: ${complaints}`);
    }
    await sleep(10);
  }
  return {
    socket,
    tcpSocket: `127.0.0.1:${runtimePort}`,
    viewerSocket,
    servers,
    say,
    status,
    frontendPort,
    load: (delayMs) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 16 });
      const counts = { succeeded: 0, failed: 0 };
      let running = true;
      const client = async (): Promise<void> => {
        while (running)
          counts[
            (await request(frontendPort, `/?ms=${delayMs}`, agent)) ? 'succeeded' : 'failed'
          ]++;
      };
      const clients = Array.from({ length: 16 }, client);
      return async () => {
        running = false;
        await Promise.all(clients);
        agent.destroy();
        return counts;
      };
    },
    dispose,
  };
};
