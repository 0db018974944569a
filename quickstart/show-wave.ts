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

interface Moment {
  wave: WaveSummary;
  services: ServiceSummary[];
  /** Names of the containers that are being restarted. */
  batch: string[];
}

const momentOf = async (scene: Scene, waveId: string): Promise<Moment> => {
  const wave = (await scene.get(`/v1/waves/${waveId}`)) as WaveSummary;
  const services = (await scene.get('/v1/services')) as ServiceSummary[];
  return {
    wave,
    services: services.filter(({ members }) => members > 0),
    batch: wave.members
      .filter(({ state }) => state === 'restarting')
      .map(({ container }) => container.split('/')[1] ?? container),
  };
};

/** Bars on a terminal: one for the wave, one for the availability of each service. */
const paintBars = (columns: number): { paint: (moment: Moment) => void; stop: () => void } => {
  const bars = new MultiBar(
    {
      hideCursor: true,
      barsize: Math.min(40, Math.max(5, columns - restWidth - noteWidth)),
      clearOnComplete: false,
      format: '  {label} {bar} {value}/{total}  {note}',
    },
    Presets.shades_classic,
  );
  const known = new Map<string, ReturnType<MultiBar['create']>>();
  const show = (name: string, value: number, total: number, note: string): void => {
    const payload = { label: name.padEnd(labelWidth), note };
    const bar = known.get(name) ?? bars.create(total, value, payload);
    known.set(name, bar);
    bar.setTotal(total);
    bar.update(value, payload);
  };
  return {
    paint: ({ wave, services, batch }) => {
      show('restarted', doneOf(wave), Math.max(1, wave.total), noteOf(wave.state, batch));
      for (const { name, available, members, floor } of services)
        show(name, available, members, `available (floor ${floor})`);
    },
    stop: () => {
      bars.stop();
    },
  };
};

/** A line a change, for logs. */
const writeLines = (write: (line: string) => void): ReturnType<typeof paintBars> => {
  let last = '';
  return {
    paint: ({ wave, services, batch }) => {
      const now = batch.length === 0 ? '' : `, now ${batch.join(' ')}`;
      const available = services.map(
        ({ name, available: up, members, floor }) => `${name} ${up}/${members} (floor ${floor})`,
      );
      const line = `  ${doneOf(wave)}/${wave.total} ${wave.state}${now}; ${available.join(', ')}`;
      if (line !== last) write(line);
      last = line;
    },
    stop: () => undefined,
  };
};

/**
 * Follow a wave until it is over or paused, as a person would like to see it; without a terminal, a
 * line a change. Once `interrupt` is aborted it paints nothing more, and throws.
 */
export const showWave = async (
  scene: Scene,
  waveId: string,
  write: (line: string) => void,
  interrupt: AbortSignal,
): Promise<WaveSummary> => {
  const columns = terminalWidth();
  const painter = Number.isFinite(columns) ? paintBars(columns) : writeLines(write);
  interrupt.addEventListener('abort', painter.stop);
  try {
    for (;;) {
      const moment = await momentOf(scene, waveId);
      interrupt.throwIfAborted();
      painter.paint(moment);
      if (moment.wave.endedAt !== null || moment.wave.state === 'paused') return moment.wave;
      await sleep(40, undefined, { signal: interrupt });
    }
  } finally {
    painter.stop();
  }
};
