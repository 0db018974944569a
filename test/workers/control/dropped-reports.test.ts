import { expect, test } from '@jest/globals';
import { defaultFleetSettings, emptyFleet } from '../../../src/core/coordinator/fleet.ts';
import type { Report } from '../../../src/core/messages.ts';
import { startCoordinator } from '../../../src/workers/control/coordinate.ts';

test('of reports that were dropped (early, late, of another life, of a stranger) nothing is kept (R9)', async () => {
  const kept: string[] = [];
  const coordinator = await startCoordinator({
    load: () => Promise.resolve(emptyFleet(defaultFleetSettings, 1, 1)),
    commit: ({ reports }) => {
      kept.push(...reports.map(({ host, incarnation, seq }) => `${host} ${incarnation} ${seq}`));
      return Promise.resolve();
    },
    publish: () => Promise.resolve(),
    kickRelay: () => undefined,
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => 'id',
    onError: (error) => {
      throw error;
    },
  });
  await coordinator.act('ann', { action: 'host-add', hostId: 'h1', zone: null, cap: null });
  const copied: Report = { kind: 'audit-copied', seq: 1, hash: 'h', record: {} };
  const submit = (host: string, incarnation: string, seq: number): Promise<unknown> =>
    coordinator.submit({
      kind: 'report',
      message: { host, incarnation, seq, acked: 0, echo: [0, 0, 0], report: copied },
    });
  await Promise.all([
    submit('h1', 'life-1', 2),
    submit('h1', 'life-1', 1),
    submit('h1', 'life-1', 1),
    submit('h1', 'life-1', 3),
    submit('h9', 'life-1', 1),
    submit('h1', 'life-1', 2),
    submit('h1', 'life-2', 2),
    submit('h1', 'life-2', 1),
    submit('h1', 'life-1', 3),
  ]);
  expect(kept).toEqual(['h1 life-1 1', 'h1 life-1 2', 'h1 life-2 1']);
  await coordinator.stop();
});
