import { MultiBar, Presets } from 'cli-progress';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceSummary, WaveSummary } from '../src/core/coordinator/explain.ts';
import type { Scene } from '../test/bed/scene.ts';

const doneOf = (wave: WaveSummary): number =>
  (wave.counts['verified'] ?? 0) +
  (wave.counts['shadowed'] ?? 0) +
  (wave.counts['not-needed'] ?? 0);

/** Follow a wave until it is over, as a person would like to see it; without a terminal, a line a change. */
export const showWave = async (
  scene: Scene,
  waveId: string,
  write: (line: string) => void,
): Promise<WaveSummary> => {
  const terminal = process.stdout.isTTY;
  const bars = terminal
    ? new MultiBar(
        {
          hideCursor: true,
          clearOnComplete: false,
          format: '  {label} {bar} {value}/{total}  {note}',
        },
        Presets.shades_classic,
      )
    : null;
  const wave0 = (await scene.get(`/v1/waves/${waveId}`)) as WaveSummary;
  const progress = bars?.create(Math.max(1, wave0.total), 0, { label: 'restarted', note: '' });
  const perService = new Map<string, ReturnType<MultiBar['create']>>();
  let last = '';
  for (;;) {
    const wave = (await scene.get(`/v1/waves/${waveId}`)) as WaveSummary;
    const services = (await scene.get('/v1/services')) as ServiceSummary[];
    const batch = wave.members
      .filter(({ state }) => state === 'restarting')
      .map(({ container }) => container.split('/')[1] ?? container);
    progress?.setTotal(Math.max(1, wave.total));
    progress?.update(doneOf(wave), {
      label: 'restarted',
      note: batch.length === 0 ? wave.state : `now: ${batch.join(' ')}`,
    });
    for (const { name, available, members, floor } of services.filter(
      (service) => service.members > 0,
    )) {
      const bar =
        perService.get(name) ?? bars?.create(members, available, { label: name, note: '' });
      if (bar !== undefined) {
        perService.set(name, bar);
        bar.update(available, { label: name.padEnd(9), note: `available (floor ${floor})` });
      }
    }
    const line = `  ${doneOf(wave)}/${wave.total} ${wave.state}${batch.length === 0 ? '' : `, now ${batch.join(' ')}`}; ${services.map(({ name, available, members, floor }) => `${name} ${available}/${members} (floor ${floor})`).join(', ')}`;
    if (bars === null && line !== last) write(line);
    last = line;
    if (wave.endedAt !== null || wave.state === 'paused') {
      bars?.stop();
      return wave;
    }
    await sleep(40);
  }
};
