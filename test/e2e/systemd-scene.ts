import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { callApi } from '../../src/api/client.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { readWitness } from '../bed/containers.ts';
import type { BedContainer } from '../bed/containers.ts';
import type { BedHost } from '../bed/host.ts';

/** What Groundswell tells operators: the same by webhook and by command. */
export interface Told {
  kind: string;
  waveId: string | null;
  text: string;
}

/** A host whose init is systemd, on which Groundswell is installed as on any: by its own setup. */
export interface SystemdScene {
  bed: Bed;
  host: BedHost;
  containers: BedContainer[];
  /** The installed command, as operators type it; throws with what it said where it fails. */
  groundswell: (...argv: string[]) => Promise<string>;
  get: (path: string) => Promise<unknown>;
  /** What came by webhook, and what the notification command was given. */
  webhook: Told[];
  commandTold: () => Promise<Told[]>;
  writeConfiguration: (saleEnds: string) => Promise<void>;
  /** Names of the containers that LXC itself stopped since a moment, in order. */
  stoppedSince: (atMs: number) => Promise<string[]>;
  /** Paths of the host with owner and mode, but for what any use of the host changes. */
  listFiles: () => Promise<Set<string>>;
  dispose: () => Promise<void>;
}

const NOTICES = '/var/lib/gsbed/notices';
const TELL = ['#!/bin/sh', `cat >> ${NOTICES}`, ''].join('\n');

const configuration = (webhookUrl: string, saleEnds: string): string => `
services:
  - name: sys
    match: [{ group: sys }]
    mode: auto
    health: { kind: http, port: 8080, path: /health }
    minHealthyTimeMs: 0
  - name: web
    match: [{ group: web }]
    health: { kind: http, port: 8080, path: /health }
    minHealthyTimeMs: 0
    healthyDeadlineMs: 2500
optOut:
  - container: web-03
    until: ${saleEnds}
    reason: sale
  - container: web-04
    reason: holds a cache
server:
  notify:
    command: [/usr/local/sbin/tell]
    webhook: ${webhookUrl}
`;

/** A service of the host itself, with the library that is patched; not in its containers. */
const hostService = (name: string): string =>
  [
    '[Unit]',
    `ConditionHost=${name}`,
    '[Service]',
    'ExecStart=/usr/bin/gs-demo-web 9090',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');

const listen = async (address: string, told: Told[]): Promise<{ server: Server; url: string }> => {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      told.push(JSON.parse(body) as Told);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const found = server.address();
  if (found === null || typeof found === 'string') throw new Error('no port');
  return { server, url: `http://${address}:${found.port}/hook` };
};

/** Two containers that run systemd and four plain ones, needrestart in automatic mode, no Groundswell yet. */
export const createSystemdScene = async (): Promise<SystemdScene> => {
  const bed = await createBed({
    directory: `${TEST_BEDS}/systemd`,
    hostNumbers: [125],
    projectDirectory: process.cwd(),
  });
  const host = await bed.createHost({ number: 125, init: 'systemd' });
  const sys = await bed.createContainers(host, { service: 'sys', count: 2, init: 'systemd' });
  const web = await bed.createContainers(host, {
    ...{ service: 'web', count: 4 },
    arguments: ['--also-extra', '--start-delay-ms', '700', '--unhealthy-file', '/etc/gs-unhealthy'],
  });
  const webhook: Told[] = [];
  const { server, url } = await listen(host.outerAddress, webhook);
  await host.must(['install', '-d', '-m', '700', '/etc/groundswell', '/etc/groundswell/config.d']);
  await host.writeFile('/usr/local/sbin/tell', TELL, 0o755);
  await host.writeFile('/etc/systemd/system/host-web.service', hostService(host.name));
  await host.must(['systemctl', 'enable', '--now', 'host-web.service']);
  // With its default tolerance needrestart 3.6 restarts no container; other versions do.
  await host.writeFile(
    '/etc/needrestart/conf.d/50-auto.conf',
    "$nrconf{restart} = 'a';\n$nrconf{tolerance} = 0;\n",
  );
  // The host's /run is a tmpfs of its own: only the host's processes have it.
  const socketPath = join('/proc', String(await host.initPid()), 'root/run/groundswell/api.sock');
  return {
    ...{ bed, host, containers: [...sys, ...web], webhook },
    groundswell: (...argv) => host.must(['groundswell', ...argv]),
    get: (path) => callApi(socketPath, 'GET', path),
    commandTold: async () =>
      (await host.readFile(NOTICES).catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Told),
    writeConfiguration: (saleEnds) =>
      host.writeFile(
        '/etc/groundswell/config.d/10-services.yaml',
        configuration(url, saleEnds),
        0o600,
      ),
    stoppedSince: async (atMs) =>
      (await readWitness(host))
        .filter(({ kind, atMs: at }) => kind === 'stop' && at >= atMs)
        .map(({ container }) => container),
    listFiles: async () => {
      const changing = ['/var/lib/lxc', '/var/lib/gsbed', '/var/lib/dpkg', '/var/lib/apt'];
      const more = [
        '/bedrepo',
        '/opt/groundswell',
        '/var/cache',
        '/var/log',
        '/var/lib/systemd',
        '/proc',
        '/tmp',
        '/var/tmp',
      ];
      const out = await host.must([
        ...['find', '/', '-xdev', '('],
        ...[...changing, ...more].flatMap((path, index) => [
          ...(index === 0 ? [] : ['-o']),
          ...['-path', path],
        ]),
        ...[')', '-prune', '-o', '-printf', '%M %U:%G %p\n'],
      ]);
      return new Set(out.split('\n'));
    },
    dispose: async () => {
      server.closeAllConnections();
      server.close();
      await bed.dispose();
    },
  };
};
