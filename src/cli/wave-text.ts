import { formatDuration, formatTable, tint } from './print.ts';
import type { WaveSummary } from './views.ts';

const over: readonly string[] = ['finished', 'stopped', 'declined'];

export const isOver = ({ state }: Pick<WaveSummary, 'state'>): boolean => over.includes(state);

/** Whether everything that it was opened for was done. What it left alone on purpose is not its failure. */
export const endedWell = ({ state, counts, upgrades }: WaveSummary): boolean =>
  state === 'finished' &&
  (['failed', 'stale', 'unknown'] as const).every((each) => (counts[each] ?? 0) === 0) &&
  upgrades.every((upgrade) => upgrade.state !== 'failed');

/** What keeps a wave from going on until a person does something, and what that is; null: nothing does. */
export const haltOf = ({ pausedBy, remedy, waitsFor }: WaveSummary): string | null => {
  const how = remedy === null ? '' : ` (${remedy})`;
  if (pausedBy !== null) return `paused: ${pausedBy}${how}`;
  return remedy === null ? null : (waitsFor ?? `waits for a person${how}`);
};

/** `2027-01-31 06:00:12 UTC` */
export const dateText = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

const timesText = ({ createdAt, startedAt, endedAt }: WaveSummary, now: number): string => {
  const ago = (iso: string): string => `${formatDuration(now - Date.parse(iso))} ago`;
  const parts = [createdAt === null ? '' : `opened ${dateText(createdAt)} (${ago(createdAt)})`];
  if (startedAt !== null) parts.push(`began ${dateText(startedAt)}`);
  if (endedAt !== null) {
    const took = Date.parse(endedAt) - Date.parse(startedAt ?? createdAt ?? endedAt);
    parts.push(
      `ended ${dateText(endedAt)}${startedAt === null ? '' : `, after ${formatDuration(took)}`}`,
    );
  }
  return parts.filter((part) => part !== '').join(', ');
};

const membersText = ({ members }: WaveSummary): string =>
  members.length === 0
    ? 'no containers'
    : formatTable(
        ['container', 'state', 'step', 'attempts', 'reason'],
        members.map(({ container, state, step, attempts, reason, waiting }) => [
          ...[container, tint(state), step ?? '', String(attempts)],
          waiting === null ? reason : `waits: ${waiting}`,
        ]),
      );

/** All that it is for, where that is too much for a sentence. */
const askedText = ({ asked, cause }: WaveSummary): string[] =>
  asked === null || [...asked.advisories, ...asked.packages].every((name) => cause.includes(name))
    ? []
    : [`advisories: ${asked.advisories.join(', ')}`, `packages: ${asked.packages.join(', ')}`];

/** What it waits for, unless another line has said it. */
const waitsText = ({ waitsFor, upgrades }: WaveSummary, halt: string | null): string =>
  waitsFor === null ||
  waitsFor === halt ||
  upgrades.some(({ host, reason }) => waitsFor === `upgrade of ${host}: ${reason}`)
    ? ''
    : waitsFor;

/** `groundswell wave`. */
export const waveText = (wave: WaveSummary, now = Date.now()): string => {
  const halt = haltOf(wave);
  const head = [
    `wave ${wave.id}: ${tint(wave.state)}, stage ${wave.stage}`,
    `cause: ${wave.cause}`,
    ...askedText(wave),
    timesText(wave, now),
    wave.approvedBy === null ? '' : `approved by ${wave.approvedBy}`,
    halt ?? '',
    waitsText(wave, halt),
    wave.asked !== null && wave.state === 'waiting for approval'
      ? `as shown here, and not with more: groundswell approve ${wave.id} --shown ${wave.asked.form}`
      : '',
    ...wave.upgrades.map(
      ({ host, state, reason }) =>
        `upgrade of ${host}: ${state}${reason === '' ? '' : ` (${reason})`}`,
    ),
  ].filter((line) => line !== '');
  return [...head, '', membersText(wave)].join('\n');
};
