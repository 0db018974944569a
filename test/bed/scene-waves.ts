import type { AuditRow } from '../../src/core/coordinator/api-rows.ts';
import type { WaveSummary } from '../../src/core/coordinator/explain.ts';
import type { ContainerLine } from '../../src/cli/views.ts';
import type { Scene } from './scene.ts';
import { waitUntil } from './wait-until.ts';

/** All that asking needs of a scene: how to ask its server. */
export type Asked = Pick<Scene, 'get'>;

export const waves = async (scene: Asked): Promise<WaveSummary[]> =>
  (await scene.get('/v1/waves')) as WaveSummary[];

export const containersSeen = async (scene: Asked): Promise<ContainerLine[]> =>
  (await scene.get('/v1/containers')) as ContainerLine[];

/** The wave of that id, or the newest whose cause names `text`, once `ready` says so. */
export const waveWhen = (
  scene: Asked,
  text: string,
  what: string,
  ready: (wave: WaveSummary) => boolean,
  deadlineMs = 90_000,
): Promise<WaveSummary> =>
  waitUntil(
    `a wave for ${text} ${what}`,
    async () => {
      const found = (await waves(scene).catch(() => []))
        .filter(({ id, cause }) => id === text || cause.includes(text))
        .at(-1);
      return found !== undefined && ready(found) ? found : null;
    },
    { deadlineMs, everyMs: 20 },
  );

export const waveOver = (scene: Asked, text: string, deadlineMs?: number): Promise<WaveSummary> =>
  waveWhen(scene, text, 'is over', ({ endedAt }) => endedAt !== null, deadlineMs);

interface RestartRecord {
  container: string;
  action: string;
  outcome: string;
  wave: string;
}

/** Audit records of the hosts' own chains: their word on each restart. */
export const restartRecords = async (scene: Asked): Promise<RestartRecord[]> => {
  const rows = (await scene.get('/v1/audit?limit=10000')) as AuditRow[];
  return rows.flatMap(({ chain, record }) => {
    const action = record['action'];
    if (chain === 'server' || (action !== 'stop-begun' && action !== 'restart-ended')) return [];
    return [
      {
        container: String(record['container'] ?? record['subject']),
        action,
        outcome: String(record['outcome']),
        wave: String(record['wave']),
      },
    ];
  });
};

/** Those of one wave, once as many restarts have their end on record: that reaches the server after the end itself. */
export const recordsOfWave = (
  scene: Asked,
  waveId: string,
  restarts: number,
): Promise<RestartRecord[]> =>
  waitUntil(
    `${restarts} restarts have their end on record`,
    async () => {
      const own = (await restartRecords(scene)).filter(({ wave }) => wave === waveId);
      return own.filter(({ action }) => action === 'restart-ended').length >= restarts ? own : null;
    },
    { deadlineMs: 10_000, everyMs: 50 },
  );

/** Publish a version of a demo package and let plain apt-get upgrade take it. */
export const upgradeByApt = async (
  scene: Scene,
  name: 'libgs-demo1' | 'libgs-extra1' | 'gs-demo-data',
  version: '1.0-1+deb12u1' | '1.0-1+deb12u2',
): Promise<void> => {
  await scene.bed.publish({ [name]: version });
  await scene.host.must(['apt-get', '-q', 'update']);
  await scene.host.must(['apt-get', '-qy', '--only-upgrade', 'install', name]);
};

/** Do something that opens a wave; answers the new wave's id once it is there. */
export const waveFrom = async (scene: Asked, act: () => Promise<unknown>): Promise<string> => {
  const before = new Set((await waves(scene)).map(({ id }) => id));
  await act();
  const found = await waitUntil(
    'a new wave is there',
    async () => (await waves(scene)).find(({ id }) => !before.has(id)) ?? null,
    { deadlineMs: 60_000, everyMs: 20 },
  );
  return found.id;
};
