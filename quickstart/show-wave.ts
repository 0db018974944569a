import { MultiBar, Presets } from 'cli-progress';
import { setTimeout as sleep } from 'node:timers/promises';
import { terminalWidth } from '../src/cli/print.ts';
import type { ServiceSummary, WaveSummary } from '../src/core/coordinator/explain.ts';
import type { Scene } from '../test/bed/scene.ts';

const labelWidth = 9;
const noteWidth = 34;
/** Blanks, label, count and gaps: what a line holds besides bar and note. */
const restWidth = labelWidth + 14;

const doneOf = (wave: WaveSummary): number =>
  (wave.counts['verified'] ?? 0) +
  (wave.counts['shadowed'] ?? 0) +
  (wave.counts['not-needed'] ?? 0);

/** What is being restarted, as far as it fits. */
const noteOf = (state: string, batch: readonly string[]): string => {
  if (batch.length === 0) return state;
  const text = `now: ${batch.join(' ')}`;
  return text.length <= noteWidth ? text : `${text.slice(0, noteWidth - 1)}…`;
};

/** Follow a wave until it is over, as a person would like to see it; without a terminal, a line a change. */
export const showWave = async (
  scene: Scene,
  waveId: string,
  write: (line: string) => void,
): Promise<WaveSummary> => {
  const columns = terminalWidth();
  const bars = Number.isFinite(columns)
    ? new MultiBar(
        {
          hideCursor: true,
          barsize: Math.min(40, Math.max(5, columns - restWidth - noteWidth)),
          clearOnComplete: false,
          format: '  {label} {bar} {value}/{total}  {note}',
        },
        Presets.shades_classic,
      )
    : null;
  const wave0 = (await scene.get(`/v1/waves/${waveId}`)) as WaveSummary;
  const progress = bars?.create(Math.max(1, wave0.total), 0, {
    label: 'restarted'.padEnd(labelWidth),
    note: '',
  });
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
      label: 'restarted'.padEnd(labelWidth),
      note: noteOf(wave.state, batch),
    });
    for (const { name, available, members, floor } of services.filter(
      (service) => service.members > 0,
    )) {
      const bar =
        perService.get(name) ?? bars?.create(members, available, { label: name, note: '' });
      if (bar !== undefined) {
        perService.set(name, bar);
        bar.update(available, {
          label: name.padEnd(labelWidth),
          note: `available (floor ${floor})`,
        });
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
