import { expect } from '@jest/globals';
import { fetchHealth } from '../bed/ask.ts';
import { readWitness } from '../bed/containers.ts';
import type { BedContainer } from '../bed/containers.ts';
import { startLoad } from '../bed/load.ts';
import { recordsOfWave, waveFrom, waveOver } from '../bed/scene-waves.ts';
import { fullName } from '../bed/two-hosts.ts';
import type { TwoHosts } from '../bed/two-hosts.ts';
import { provesNothing, watchContainers, watchHaproxy } from '../bed/watch-availability.ts';

export interface WatchedWaves {
  /** How many stops LXC itself has seen on both hosts up to now. */
  stops: () => Promise<number>;
  /** A whole wave under watch, `inTheMiddle` of which something happens: each container once, with its records. */
  wholeWave: (
    begin: () => Promise<unknown>,
    members: BedContainer[],
    inTheMiddle: (waveId: string) => Promise<void>,
    limitMs?: number,
  ) => Promise<void>;
}

/** Waves over two hosts whose services `web` and `api` may miss one container each, as outsiders see them. */
export const watchedWaves = (scene: () => TwoHosts): WatchedWaves => {
  /** Load and outside watchers while `act` restarts `members`: no request fails, never two of a service are away. */
  const underWatch = async (members: BedContainer[], act: () => Promise<void>): Promise<void> => {
    const load = startLoad({
      targets: { web: scene().haproxy.frontend('web'), api: scene().haproxy.frontend('api') },
      connections: 8,
    });
    const watches = {
      balancer: await watchHaproxy(scene().haproxy),
      outside: await watchContainers(scene().members()),
    };
    const acted = await act().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const [balancer, outside] = [await watches.balancer.stop(), await watches.outside.stop()];
    const requests = await load.stop();
    if (acted !== null) throw acted.error;
    const oneLess = Object.fromEntries(
      ['web', 'api'].map((service) => [
        service,
        scene().members(service).length -
          (members.some((member) => member.service === service) ? 1 : 0),
      ]),
    );
    expect({
      balancer: balancer.lowest,
      outside: outside.lowest,
      failures: Object.values(requests).map(({ failures }) => failures),
    }).toEqual({ balancer: oneLess, outside: oneLess, failures: [{}, {}] });
    const restarted = Object.fromEntries(
      Object.keys(oneLess)
        .filter((service) => members.some((member) => member.service === service))
        .map((service) => [service, scene().members(service).length]),
    );
    expect([
      ...provesNothing('the load balancer', balancer, restarted),
      ...provesNothing('a watcher of every container', outside, restarted),
    ]).toEqual([]);
    expect(requests['web']?.ok).toBeGreaterThan(50);
  };

  const witness = async (): Promise<{ container: string; kind: 'start' | 'stop' }[]> =>
    (
      await Promise.all(
        scene().hosts.map(async (host) =>
          (await readWitness(host)).map(({ container, kind }) => ({
            container: `${host.name}/${container}`,
            kind,
          })),
        ),
      )
    ).flat();
  const startsOf = async (container: BedContainer): Promise<number> =>
    (await witness()).filter(
      (event) => event.kind === 'start' && event.container === fullName(container),
    ).length;
  const stops = async (): Promise<number> =>
    (await witness()).filter(({ kind }) => kind === 'stop').length;

  /** A whole wave under watch, `inTheMiddle` of which something happens: each container once, with its records. */
  const wholeWave = async (
    begin: () => Promise<unknown>,
    members: BedContainer[],
    inTheMiddle: (waveId: string) => Promise<void>,
    limitMs = 120_000,
  ): Promise<void> => {
    const before = new Map(
      await Promise.all(
        members.map(async (member) => [fullName(member), await startsOf(member)] as const),
      ),
    );
    let waveId = '';
    await underWatch(members, async () => {
      waveId = await waveFrom(scene(), begin);
      await inTheMiddle(waveId);
      const wave = await waveOver(scene(), waveId, limitMs);
      // With the reasons, so that a failure says which one and why.
      expect(wave.members.filter(({ state }) => state !== 'verified')).toEqual([]);
      expect(wave.total).toBe(members.length);
    });
    const records = await recordsOfWave(scene(), waveId, members.length);
    for (const member of members) {
      const name = fullName(member);
      const own = records.filter(({ container }) => container === name);
      expect({
        name,
        healthy: await fetchHealth(member),
        starts: (await startsOf(member)) - (before.get(name) ?? 0),
        records: own.map(({ action, outcome }) => `${action} ${outcome}`),
      }).toEqual({
        name,
        healthy: true,
        starts: 1,
        records: ['stop-begun null', 'restart-ended done'],
      });
    }
  };

  return { stops, wholeWave };
};
