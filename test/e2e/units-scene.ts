import { join } from 'node:path';
import { callApi } from '../../src/api/client.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { readWitness } from '../bed/containers.ts';
import type { BedContainer } from '../bed/containers.ts';
import type { BedHost } from '../bed/host.ts';
import { startBedRedis } from '../bed/redis-server.ts';

/** A host with systemd that is server and agent of a fleet in one, each by its own unit, and boots as hosts do. */
export interface UnitsScene {
  bed: Bed;
  host: BedHost;
  containers: BedContainer[];
  /** One of `watched` that LXC does not start at boot. */
  withoutAutostart: string;
  get: (path: string) => Promise<unknown>;
  writeConfiguration: () => Promise<void>;
  /** Names of the containers that LXC itself stopped since a moment, in order. */
  stoppedSince: (atMs: number) => Promise<string[]>;
  dispose: () => Promise<void>;
}

const configuration = (redisUrl: string, host: BedHost): string => `
redis: { url: "${redisUrl}" }
agent: { hostId: ${host.name} }
services:
  - name: web
    match: [{ group: web }]
    mode: auto
    health: { kind: http, port: 8080, path: /health }
    minHealthyTimeMs: 0
  - name: watched
    match: [{ group: watched }]
    mode: observe
    health: { kind: http, port: 8080, path: /health }
    minHealthyTimeMs: 0
`;

/** Have LXC's own unit start at boot what is to be started, and stop it at shutdown. */
const startContainersAtBoot = async (host: BedHost): Promise<void> => {
  await host.writeFile('/etc/default/lxc-net', 'USE_LXC_BRIDGE="false"\n');
  const groups = 's/^BOOTGROUPS=.*/BOOTGROUPS="web,watched"/';
  await host.must(['sed', '-i', groups, '/etc/default/lxc']);
  await host.writeFile(
    '/etc/systemd/system/lxc.service.d/bed.conf',
    '[Unit]\nAfter=gs-bed-host-init.service\n',
  );
  await host.must(['systemctl', 'unmask', 'lxc.service']);
  await host.must(['systemctl', 'start', 'lxc.service']);
};

/** Three containers that restart by themselves and two that are only observed; no Groundswell yet. */
export const createUnitsScene = async (): Promise<UnitsScene> => {
  const bed = await createBed({
    directory: `${TEST_BEDS}/units`,
    hostNumbers: [126],
    projectDirectory: process.cwd(),
  });
  const host = await bed.createHost({ number: 126, init: 'systemd' });
  await bed.createContainers(host, {
    ...{ service: 'web', count: 3 },
    arguments: ['--start-delay-ms', '700'],
  });
  await bed.createContainers(host, { service: 'watched', count: 2 });
  const withoutAutostart = 'watched-02';
  const config = `/var/lib/lxc/${withoutAutostart}/config`;
  await host.must(['sed', '-i', 's/^lxc.start.auto = 1/lxc.start.auto = 0/', config]);
  await startContainersAtBoot(host);
  const redis = await startBedRedis(bed, [host.outerAddress]);
  return {
    ...{ bed, host, withoutAutostart },
    containers: [...bed.containersOf(host)],
    get: async (path) => {
      // The host's /run is a tmpfs of its own, another one after each boot.
      const root = join('/proc', String(await host.initPid()), 'root');
      return callApi(join(root, 'run/groundswell/api.sock'), 'GET', path);
    },
    writeConfiguration: () =>
      host.writeFile(
        '/etc/groundswell/config.yaml',
        configuration(redis.url(host.outerAddress), host),
        0o600,
      ),
    stoppedSince: async (atMs) =>
      (await readWitness(host))
        .filter(({ kind, atMs: at }) => kind === 'stop' && at >= atMs)
        .map(({ container }) => container),
    dispose: () => bed.dispose(),
  };
};
